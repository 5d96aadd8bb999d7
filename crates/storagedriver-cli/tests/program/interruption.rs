//! Signals: nothing is left half-done.
#![cfg(unix)]

use std::io::Write;
use std::process::Output;

use crate::run::{Store, program, run};
use crate::signals::{send, wait_until};

/// Starts a `put` that has stored more than a MiB and waits for more, and sends it a signal.
fn interrupted_put(store: &Store, signal: &str) -> Output {
    let before = store.files().len();
    let mut child = store.command("put", &["/docker/blob"]).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(&vec![1; 3 << 20]).unwrap();
    wait_until("the upload", || {
        let files = store.files();
        let sizes = files.iter().filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len());
        files.len() > before && sizes.sum::<u64>() > 1 << 20
    });
    send(signal, &child);
    // Standard input stays open: the program does not wait for it to end.
    let output = child.wait_with_output().unwrap();
    drop(input);
    output
}

#[test]
fn ctrl_c_during_a_put_cancels_the_upload() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let store = Store::new();
        let output = interrupted_put(&store, signal);
        assert_eq!(output.status.code(), Some(code));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert_eq!(store.text("walk", &[]), "");
        assert_eq!(store.text("uploads", &[]), "");
        assert_eq!(store.files(), Vec::<std::path::PathBuf>::new(), "no file of any name is left");
    }
}

#[test]
fn ctrl_c_during_a_put_keeps_what_was_there() {
    let store = Store::with(&["/docker/blob"]);
    assert_eq!(interrupted_put(&store, "INT").status.code(), Some(130));
    assert_eq!(store.text("cat", &["/docker/blob"]), "/docker/blob");
    assert_eq!(store.files().len(), 1);
}

#[test]
fn ctrl_c_during_a_sync_leaves_whole_files_and_no_uploads() {
    let (from, to) = (Store::new(), Store::new());
    from.file("/first", b"small");
    from.file("/large", &vec![3; 8 << 20]);
    let command = ["sync", &from.argument(), &to.argument(), "--bandwidth", "256KiB"];
    let child = program(command).spawn().unwrap();
    wait_until("the upload", || {
        let sizes =
            to.files().into_iter().filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len());
        sizes.sum::<u64>() > 100_000
    });
    send("INT", &child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(["", "/first\n"].contains(&to.text("walk", &[]).as_str()), "half of /large shows");
    assert_eq!(to.text("uploads", &[]), "");
    assert!(to.files().len() <= 1, "{:?}", to.files());

    run(&["sync", &from.argument(), &to.argument(), "--verify"]).ok();
    assert_eq!(to.text("walk", &[]), "/first\n/large\n");
}

#[test]
fn ctrl_c_ends_a_cat_that_nobody_reads() {
    let store = Store::new();
    store.file("/a", &vec![7; 4 << 20]);
    let mut child = store.command("cat", &["/a"]).spawn().unwrap();
    // Once the pipe is full the program is stuck in writing.
    let mut output = child.stdout.take().unwrap();
    std::io::Read::read_exact(&mut output, &mut [0; 1]).unwrap();
    send("INT", &child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(output);
}

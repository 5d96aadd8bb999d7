//! Content in and out without holding it, and readers that go away.

use std::io::{BufRead, BufReader, Read, Write};

use base64::Engine as _;

use crate::run::{Store, objects};

#[test]
fn cat_gives_a_range() {
    let store = Store::new();
    store.file("/a", b"0123456789");
    assert_eq!(store.text("cat", &["/a", "--offset", "3"]), "3456789");
    assert_eq!(store.text("cat", &["/a", "--offset", "3", "--length", "2"]), "34");
    assert_eq!(store.text("cat", &["/a", "--offset", "10"]), "");
    assert_eq!(store.text("cat", &["/a", "--length", "99"]), "0123456789");
}

#[test]
fn cat_as_json_is_pieces_in_base64() {
    let store = Store::new();
    let content: Vec<u8> = (0..1_000_000_u32).map(|number| (number % 253) as u8).collect();
    store.file("/a", &content);
    let mut read = Vec::new();
    for piece in store.json("cat", &["/a"]) {
        assert_eq!(piece["offset"], read.len());
        assert_eq!(piece["size"], content.len());
        read.extend(
            base64::engine::general_purpose::STANDARD.decode(piece["base64"].as_str().unwrap()).unwrap(),
        );
    }
    assert!(read == content);
    store.file("/empty", b"");
    let empty = store.json("cat", &["/empty"]);
    assert_eq!((empty.len(), &empty[0]["base64"]), (1, &"".into()));
}

#[test]
fn a_closed_pipe_ends_a_walk_silently() {
    let store = Store::new();
    let long = "x".repeat(200);
    for number in 0..2000 {
        store.file(&format!("/{long}-{number}"), b"");
    }
    for arguments in [&[][..], &["--json"], &["-l"]] {
        let mut child = store.command("walk", arguments).spawn().unwrap();
        let mut first = String::new();
        BufReader::with_capacity(1, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert!(first.contains(&long), "{first}");
        // The reader is dropped here; 400 KB do not fit into the pipe.
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(141));
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    }
}

#[test]
fn a_closed_pipe_ends_a_cat_silently() {
    let store = Store::new();
    store.file("/a", &vec![7; 4 << 20]);
    let mut child = store.command("cat", &["/a"]).spawn().unwrap();
    let mut some = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut some).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(141));
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}

/// The most memory that a process had at once, in KiB.
#[cfg(target_os = "linux")]
fn peak_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn put_of_64_mib_from_standard_input_holds_little_of_it() {
    const PIECES: usize = 64;
    let store = Store::new();
    let mut child = store.command("put", &["/large"]).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for number in 0..PIECES {
        input.write_all(&vec![number as u8; 1 << 20]).unwrap();
    }
    // All but what fits into the pipe has been read; the upload is still open.
    let peak = peak_memory(child.id());
    drop(input);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(peak < 48 * 1024, "{peak} KiB at the peak");
    let content = std::fs::read(store.root().join("large")).unwrap();
    assert_eq!(content.len(), PIECES << 20);
    assert!(
        content.chunks(1 << 20).enumerate().all(|(number, piece)| piece.iter().all(|&b| b == number as u8))
    );
}

#[cfg(target_os = "linux")]
#[test]
fn cat_of_64_mib_holds_little_of_it() {
    let store = Store::new();
    std::fs::File::create(store.root().join("large")).unwrap().set_len(64 << 20).unwrap();
    let mut child = store.command("cat", &["/large"]).spawn().unwrap();
    let mut output = child.stdout.take().unwrap();
    let mut taken = 0;
    let mut piece = vec![0; 1 << 20];
    while taken < 63 << 20 {
        taken += output.read(&mut piece).unwrap();
    }
    // The rest does not fit into the pipe, so the program is still there to be asked.
    let peak = peak_memory(child.id());
    let rest = std::io::copy(&mut output, &mut std::io::sink()).unwrap();
    assert_eq!(taken as u64 + rest, 64 << 20);
    assert!(child.wait().unwrap().success());
    assert!(peak < 48 * 1024, "{peak} KiB at the peak");
}

#[test]
fn output_that_cannot_be_written_is_a_failure() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let store = Store::with(&["/a"]);
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let ended = store.command("ls", &["--json"]).stdout(full).output().unwrap();
    assert_eq!(ended.status.code(), Some(3));
    assert_eq!(objects(&String::from_utf8(ended.stderr).unwrap())[0]["error"]["kind"], "local");
}

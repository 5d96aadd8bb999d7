//! `serve`, and the driver `external` that uses what is served.
#![cfg(all(feature = "external", unix))]

use std::io::{BufRead, BufReader};
use std::process::Child;

use crate::run::{Store, end, program, run};
use crate::signals::send;

/// A program that serves a storage, until it is dropped.
struct Serving {
    child: Child,
    directory: tempfile::TempDir,
}

impl Serving {
    /// Waits until the program says that it serves.
    fn start(store: &Store) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("storage.sock");
        let mut child = store.command("serve", &["--socket", &socket.display().to_string()]).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, format!("storagedriver: serving filesystem on {}\n", socket.display()));
        Serving { child, directory }
    }

    fn argument(&self) -> String {
        format!("external:socket={}", self.directory.path().join("storage.sock").display())
    }

    /// The exit code after a signal.
    fn stop(mut self, signal: &str) -> Option<i32> {
        send(signal, &self.child);
        let code = self.child.wait().unwrap().code();
        assert_eq!(std::fs::read_dir(self.directory.path()).unwrap().count(), 0, "the socket is left");
        code
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_is_served_is_used_as_any_other_storage() {
    let store = Store::with(&["/docker/a", "/docker/b/c"]);
    let serving = Serving::start(&store);
    let external = serving.argument();
    let on_it = |command: &str, arguments: &[&str]| {
        let mut program = program([command, external.as_str()]);
        end(program.args(arguments), b"").ok()
    };
    assert_eq!(on_it("walk", &[]), store.text("walk", &[]));
    assert_eq!(on_it("cat", &["/docker/b/c"]), "/docker/b/c");
    on_it("mv", &["/docker/a", "/moved"]);
    assert_eq!(store.text("cat", &["/moved"]), "/docker/a");
    assert_eq!(end(program(["put", &external, "/new"]).arg("-"), b"content").ok(), "");
    assert_eq!(store.text("cat", &["/new"]), "content");
    let absent = run(&["cat", &external, "/absent"]).failed(1);
    assert!(absent.contains("/absent") && absent.contains("not found"), "{absent}");

    // A second server does not take the place of the first.
    let socket = serving.directory.path().join("storage.sock").display().to_string();
    let refused = store.run("serve", &["--socket", &socket]).failed(3);
    assert!(refused.contains("another server listens there"), "{refused}");
    on_it("rm", &["/new"]);
    assert_eq!(serving.stop("TERM"), Some(0));
    assert_eq!(Serving::start(&store).stop("INT"), Some(0));
}

#[test]
fn drivers_names_the_one_for_executables() {
    assert!(run(&["drivers"]).ok().lines().any(|line| line.starts_with("external ")));
    assert!(run(&["drivers", "external"]).ok().contains("starttimeout"));
}

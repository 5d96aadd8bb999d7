//! Running the program on a directory of its own.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// A storage in a temporary directory, by the driver `filesystem`.
pub(crate) struct Store {
    directory: tempfile::TempDir,
}

/// How a run of the program ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Store {
    pub(crate) fn new() -> Self {
        Store { directory: tempfile::tempdir().unwrap() }
    }

    /// A storage with these files, the path being the content.
    pub(crate) fn with(paths: &[&str]) -> Self {
        let store = Store::new();
        for path in paths {
            store.file(path, path.as_bytes());
        }
        store
    }

    /// A file as any other program would have written it.
    pub(crate) fn file(&self, path: &str, content: &[u8]) {
        let file = self.root().join(path.trim_start_matches('/'));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }

    pub(crate) fn root(&self) -> &Path {
        self.directory.path()
    }

    /// The storage argument.
    pub(crate) fn argument(&self) -> String {
        format!("filesystem:rootdirectory={}", self.root().display())
    }

    /// The program with a command on this storage; `arguments` follow the storage.
    pub(crate) fn command(&self, command: &str, arguments: &[&str]) -> Command {
        let mut program = program([command, self.argument().as_str()]);
        program.args(arguments);
        program
    }

    /// Runs a command on this storage.
    pub(crate) fn run(&self, command: &str, arguments: &[&str]) -> Ended {
        end(&mut self.command(command, arguments), b"")
    }

    /// Runs a command that has to succeed, and gives what it printed.
    pub(crate) fn text(&self, command: &str, arguments: &[&str]) -> String {
        self.run(command, arguments).ok()
    }

    /// Runs a command with `--json` that has to succeed, and gives the objects it printed.
    pub(crate) fn json(&self, command: &str, arguments: &[&str]) -> Vec<Value> {
        objects(&end(self.command(command, arguments).arg("--json"), b"").ok())
    }

    /// Every regular file below the root, hidden ones too.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut directories = vec![self.root().to_owned()];
        while let Some(directory) = directories.pop() {
            // While the program runs, what was seen may be gone.
            for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() { directories.push(path) } else { files.push(path) }
            }
        }
        files
    }
}

impl Ended {
    /// What a run that has to succeed printed.
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        assert_eq!(self.stderr, "");
        String::from_utf8(self.stdout).unwrap()
    }

    /// The message of a run that has to fail with this code, having printed nothing else.
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        assert_eq!(String::from_utf8_lossy(&self.stdout), "");
        assert_ne!(self.stderr, "");
        self.stderr
    }
}

/// Each line is one JSON object.
pub(crate) fn objects(text: &str) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    let objects: Vec<Value> = text.lines().map(parse).collect();
    assert!(objects.iter().all(Value::is_object), "{text}");
    objects
}

/// The program, away from the environment of whoever runs the tests.
pub(crate) fn program<I: IntoIterator<Item = A>, A: AsRef<OsStr>>(arguments: I) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_storagedriver"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("REGISTRY_") {
            command.env_remove(name);
        }
    }
    // What decides about colours and widths; `CI` is one of them, and build servers set it.
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLORTERM", "CI", "COLUMNS"] {
        command.env_remove(name);
    }
    command.env("TERM", "xterm");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a program to its end with this standard input.
pub(crate) fn end(command: &mut Command, stdin: &[u8]) -> Ended {
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let stdin = stdin.to_owned();
    // A thread of its own: the program may print before it has read everything, or never read.
    let feeder = std::thread::spawn(move || {
        let _ = input.write_all(&stdin);
    });
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    Ended {
        code: output.status.code(),
        stdout: output.stdout,
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Ended {
    end(&mut program(arguments), b"")
}

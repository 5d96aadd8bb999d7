//! The S3 server, in a process of its own.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use storagedriver_s3 as _;
use storagedriver_testservers::{S3Options, S3Refusal, S3Server};

/// The argument that says to be the server.
pub(crate) const ROLE: &str = "s3-server";

/// Serves until standard input ends; answers each line with how much is stored.
pub(crate) fn serve() {
    let server = S3Server::start(S3Options::default()).unwrap();
    println!("{}", server.endpoint());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for turn in 0_u64.. {
                // Every six seconds everything is refused for a moment; the driver tries again.
                server.refuse((turn % 60 == 0).then_some(S3Refusal::SlowDown));
                server.requests().clear();
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        for _ in std::io::stdin().lines() {
            let store = server.store();
            println!("{}", store.keys("bucket").len() + store.uploads("bucket").len());
        }
        // The thread above never ends by itself.
        std::process::exit(0);
    });
}

/// A server that was started; gone when dropped.
pub(crate) struct Server {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
    endpoint: String,
}

impl Server {
    pub(crate) fn start() -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut child = command.arg(ROLE).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (ask, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut server = Server { child, ask, answers, endpoint: String::new() };
        server.endpoint = server.line();
        server
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    /// What a driver needs to use it.
    pub(crate) fn parameters(&self) -> [(&'static str, &str); 5] {
        [
            ("bucket", "bucket"),
            ("regionendpoint", &self.endpoint),
            ("accesskey", "access"),
            ("secretkey", "secret"),
            ("chunksize", "5242880"),
        ]
    }

    /// How many objects and open uploads it has.
    pub(crate) fn objects(&mut self) -> u64 {
        self.ask.write_all(b"\n").unwrap();
        self.line().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! What Ceph's gateway tells about itself: how many requests it was sent. Counted where they arrive,
//! so that nothing stands between a subject and the server while it is timed.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::project::{self, Outcome};
use crate::servers::{Running, ceph};

/// A counter is answered at once; longer means that the gateway hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running gateway.
pub(crate) struct Gateway {
    socket: PathBuf,
    configuration: PathBuf,
}

impl Gateway {
    /// The gateway of a server.
    ///
    /// # Errors
    /// It does not answer.
    pub(crate) fn of(running: &Running) -> Outcome<Self> {
        let gateway = Gateway {
            socket: running.data().join(ceph::ADMIN_SOCKET),
            configuration: running.data().join(ceph::CONFIGURATION),
        };
        gateway.requests()?;
        Ok(gateway)
    }

    /// How many requests it was sent since it runs, refused ones included.
    ///
    /// # Errors
    /// It does not answer.
    pub(crate) fn requests(&self) -> Outcome<u64> {
        let failed = |error| format!("{}: {error}", self.socket.display());
        let mut stream = UnixStream::connect(&self.socket).map_err(failed)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        stream.write_all(b"{\"prefix\": \"perf dump\", \"logger\": \"rgw\"}\0").map_err(failed)?;
        let mut length = [0; 4];
        stream.read_exact(&mut length).map_err(failed)?;
        let mut answer = Vec::new();
        stream.take(u64::from(u32::from_be_bytes(length))).read_to_end(&mut answer).map_err(failed)?;
        let answer: Value = serde_json::from_slice(&answer)?;
        let count = answer.pointer("/rgw/req").and_then(Value::as_u64);
        count.ok_or_else(|| format!("the gateway counts no requests: {answer}").into())
    }

    /// Frees what was deleted. The gateway would keep it for two hours, and the store is in memory.
    ///
    /// # Errors
    /// It cannot be freed.
    pub(crate) fn reclaim(&self, is_large: bool) -> Outcome {
        if !is_large {
            return Ok(());
        }
        let mut tool = Command::new("radosgw-admin");
        tool.arg("--conf").arg(&self.configuration);
        project::output(tool.args(["--name", "client.rgw", "gc", "process", "--include-all"])).map(drop)
    }
}

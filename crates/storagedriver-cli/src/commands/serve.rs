//! `serve`: a linked driver as one in a process of its own.

use std::io::Write;

use serde::Serialize;
use storagedriver_ipc::{Server, SocketFile};

use super::Session;
use crate::arguments::Serve;
use crate::failure::{Answer, Failure};
use crate::open;

/// That the socket is there.
#[derive(Serialize)]
struct Serving<'a> {
    driver: &'a str,
    socket: String,
}

pub(crate) async fn run(arguments: Serve, session: &mut Session) -> Result<Answer, Failure> {
    let mut interrupt = session.interrupt.clone();
    let storage = interrupt.or(open::with_all_middleware(&arguments.storage)).await?;
    let path = &arguments.socket;
    let cannot_listen = |source| Failure::Local { what: format!("listening on {}", path.display()), source };
    let file = SocketFile::bind(path).map_err(cannot_listen)?;
    let listener = file.listener().map_err(cannot_listen)?;
    let serving = Serving { driver: storage.name(), socket: path.display().to_string() };
    if session.output.json() {
        session.output.object(&serving)?;
        session.output.flush()?;
    } else if !session.global.quiet {
        let Serving { driver, socket } = &serving;
        // With standard error gone there is nobody to tell; it serves all the same.
        let _ = writeln!(std::io::stderr(), "storagedriver: serving {driver} on {socket}");
    }
    let server = Server::opened(storage);
    let served = server
        .serve(listener, async {
            interrupt.requested().await;
        })
        .await;
    // A signal is how it is meant to end.
    served.map(|()| Answer::Yes).map_err(cannot_listen)
}

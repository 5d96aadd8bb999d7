//! Standard input, whose other end the host holds.

use std::io::{ErrorKind, Read};
use std::time::Duration;
use std::{io, process, thread};

use tokio::sync::oneshot;

/// The driver ends within a second of its host, whatever it is doing. This much is for ending in order.
const PATIENCE: Duration = Duration::from_millis(900);

/// Done when standard input has ended. The process ends soon after, even if nobody does anything about it.
pub(super) async fn cut() {
    let (sender, receiver) = oneshot::channel::<()>();
    // A thread of its own, and not the runtime's: it must not be kept waiting by a driver that holds up the runtime.
    let watcher = thread::Builder::new().name("lifeline".to_owned()).spawn(move || {
        wait_for_end();
        drop(sender);
        thread::sleep(PATIENCE);
        process::exit(0);
    });
    match watcher {
        // An error is what is waited for: the sender is gone.
        Ok(_) => drop(receiver.await),
        // Better no driver than one that nobody ends.
        Err(error) => tracing::error!(%error, "no thread to watch standard input; the driver ends"),
    }
}

fn wait_for_end() {
    let mut input = io::stdin().lock();
    let mut buffer = [0; 256];
    loop {
        match input.read(&mut buffer) {
            // Nothing is said there in this version.
            Ok(1..) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => return,
        }
    }
}

//! Ctrl-C, and the other ways by which the program is asked to end.

use std::fmt;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;

use crate::failure::Failure;

/// What asked the program to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM: what `kill` and service managers send.
    #[cfg(unix)]
    Terminate,
    /// SIGHUP: the terminal is gone.
    #[cfg(unix)]
    HangUp,
}

impl Signal {
    /// 128 and the signal's number, as shells report it.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Signal::Interrupt => 130,
            #[cfg(unix)]
            Signal::Terminate => 143,
            #[cfg(unix)]
            Signal::HangUp => 129,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Signal::Interrupt => "Ctrl-C",
            #[cfg(unix)]
            Signal::Terminate => "SIGTERM",
            #[cfg(unix)]
            Signal::HangUp => "SIGHUP",
        })
    }
}

/// Tells when the program was asked to end. The first signal asks; the second ends it at once.
#[derive(Clone)]
pub(crate) struct Interrupt {
    signal: watch::Receiver<Option<Signal>>,
    /// What to say on standard error when the second signal ends the program.
    #[cfg_attr(
        not(feature = "conformance"),
        expect(dead_code, reason = "only that command has something to say")
    )]
    last_words: Arc<Mutex<Option<String>>>,
}

/// How long a command that only reads may take to notice the first signal: it may be stuck in
/// writing to a pipe that nobody empties.
const READER_GRACE: Duration = Duration::from_secs(2);

impl Interrupt {
    /// Starts to listen. `only_reads`: the program may be ended at any time, nothing has to be
    /// taken back first.
    ///
    /// # Errors
    /// The system refuses a signal handler.
    pub(crate) fn listen(only_reads: bool) -> Result<Self, Failure> {
        let (sender, signal_receiver) = watch::channel(None);
        let last_words = Arc::new(Mutex::new(None::<String>));
        let words = last_words.clone();
        let mut signals = Signals::new()
            .map_err(|source| Failure::Local { what: "listening for signals".to_owned(), source })?;
        tokio::spawn(async move {
            let signal = signals.next().await;
            sender.send_replace(Some(signal));
            if only_reads {
                let _ = tokio::time::timeout(READER_GRACE, signals.next()).await;
            } else {
                signals.next().await;
            }
            let words = words.lock().ok().and_then(|mut words| words.take());
            if let Some(words) = words {
                // With standard error gone there is nobody left to tell.
                let _ = writeln!(std::io::stderr(), "{words}");
            }
            std::process::exit(signal.exit_code().into());
        });
        Ok(Interrupt { signal: signal_receiver, last_words })
    }

    /// What the program says when a second signal ends it before it has tidied up; `None`: nothing.
    #[cfg(feature = "conformance")]
    pub(crate) fn set_last_words(&self, words: Option<String>) {
        if let Ok(mut last) = self.last_words.lock() {
            *last = words;
        }
    }

    /// Resolves when the first signal has come.
    pub(crate) async fn requested(&mut self) -> Signal {
        match self.signal.wait_for(Option::is_some).await.map(|signal| *signal) {
            Ok(Some(signal)) => signal,
            // The listener ends only with the program.
            _ => std::future::pending().await,
        }
    }

    /// Runs `work` until it is done or a signal comes; then it is dropped, which storage allows at
    /// any time.
    pub(crate) async fn or<T>(
        &mut self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            signal = self.requested() => Err(Failure::Interrupted(signal)),
            outcome = work => outcome,
        }
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
            _ = self.hang_up.recv() => Signal::HangUp,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Signals)
    }

    async fn next(&mut self) -> Signal {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Signal::Interrupt,
            Err(_) => std::future::pending().await,
        }
    }
}

//! The proxy and its thread.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures_util::future;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::connection::{Connection, Reset};
use super::exchange::Exchange;
use super::state::State;
use super::{Counts, Entry, Rule, Schedule};

/// An HTTP/1.1 reverse proxy on a port of 127.0.0.1, in front of one upstream.
///
/// It has a thread and a clock of its own: clients may block, and may pause theirs. When it is dropped
/// its listener and all its connections are closed before `drop` returns.
pub struct FaultProxy {
    address: SocketAddr,
    state: Arc<State>,
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl FaultProxy {
    /// Starts a proxy in front of an HTTP/1.1 server without TLS.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for an upstream that is not a loopback address; whatever the system says when no
    /// port can be bound or no thread started. An upstream that does not answer is no error here:
    /// clients get status 502.
    pub fn start(upstream: SocketAddr, schedule: Schedule) -> io::Result<Self> {
        if !upstream.ip().is_loopback() {
            let reason = format!("{upstream} is not a loopback address");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let state = Arc::new(State::new(upstream, schedule));
        let (stop, stopped) = oneshot::channel::<Infallible>();
        let shared = Arc::clone(&state);
        let thread = thread::Builder::new().name("fault-proxy".to_owned()).spawn(move || {
            let accept = Box::pin(accept(listener, shared));
            runtime.block_on(future::select(accept, stopped));
            // With the runtime goes every connection.
            drop(runtime);
        })?;
        Ok(Self { address, state, stop: Some(stop), thread: Some(thread) })
    }

    /// Where the proxy listens: 127.0.0.1 and a port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests there were since the start or [`clear`](Self::clear).
    pub fn counts(&self) -> Counts {
        self.state.record().counts()
    }

    /// The requests since the start or [`clear`](Self::clear), in the order of their arrival.
    pub fn log(&self) -> Vec<Entry> {
        self.state.record().entries()
    }

    /// Empties the log and the counts. The schedule goes on where it is.
    pub fn clear(&self) {
        self.state.record().clear();
    }

    /// Adds a rule. Rules come before the schedule, and earlier rules before later ones.
    pub fn inject(&self, rule: Rule) {
        self.state.plan().add(rule);
    }

    /// How many rules are not used up, the rests of storms included. A test that injects can so tell
    /// that all its faults were met.
    pub fn rules_left(&self) -> usize {
        self.state.plan().waiting()
    }

    /// No more faults from rules or schedule; those that have begun go on.
    pub fn stop_faults(&self) {
        self.state.plan().stop();
    }

    /// How many requests and replies are stalled now.
    pub fn held(&self) -> usize {
        self.state.gate.held()
    }

    /// Returns when so many requests and replies are stalled.
    pub async fn until_held(&self, least: usize) {
        self.state.gate.until_held(least).await;
    }

    /// Lets go on whatever is stalled now.
    pub fn release(&self) {
        self.state.gate.release();
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It can only have panicked, and that was reported where it happened.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for FaultProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultProxy")
            .field("address", &self.address)
            .field("upstream", &self.state.upstream)
            .finish_non_exhaustive()
    }
}

async fn accept(listener: StdListener, state: Arc<State>) {
    // Fails only without a runtime, and this runs in one.
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(serve(stream, Arc::clone(&state)));
            }
            // As a rule too many open files, which passes.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    let _ = stream.set_nodelay(true);
    let reset = Reset::default();
    let exchange = Arc::new(Exchange::new(state, reset.clone()));
    let service = service_fn(move |request| {
        let exchange = Arc::clone(&exchange);
        async move { exchange.answer(request).await.map_err(io::Error::other) }
    });
    let io = TokioIo::new(Connection::new(stream, reset));
    // An error is a reset of ours or a client that left.
    let _ = http1::Builder::new().serve_connection(io, service).await;
}

//! The HTTP that a scrape takes: one page, one request for each connection.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// The longest head of a request, in bytes.
const HEAD: usize = 8 * 1024;
/// How long a client may take for its request and for reading the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many clients are answered at once; others wait.
const CLIENTS: usize = 16;

/// Serves the page until it is dropped.
pub(crate) struct Endpoint {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Endpoint {
    /// Listens at `address`; port 0 is a free one.
    pub(super) async fn listen(
        address: SocketAddr,
        page: impl Fn() -> String + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Endpoint { address, task: tokio::spawn(serve(listener, Arc::new(page))) })
    }

    /// Where the page is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/metrics", self.address)
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, page: Arc<impl Fn() -> String + Send + Sync + 'static>) {
    let clients = Arc::new(Semaphore::new(CLIENTS));
    // Never closed, so that there is always a next permit.
    while let Ok(permit) = clients.clone().acquire_owned().await {
        match listener.accept().await {
            Ok((client, _)) => {
                let page = page.clone();
                tokio::spawn(async move {
                    // A client that went away, or never came to its point, is its own loss.
                    let _ = tokio::time::timeout(PATIENCE, answer(client, &*page)).await;
                    drop(permit);
                });
            }
            // Such as too many open files: what is open will be closed.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn answer(mut client: TcpStream, page: &(impl Fn() -> String + Sync)) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() > HEAD || client.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let answer = respond(&String::from_utf8_lossy(line), page);
    client.write_all(answer.as_bytes()).await?;
    client.shutdown().await
}

/// The answer to a request that begins with this line.
fn respond(line: &str, page: &impl Fn() -> String) -> String {
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = target.split('?').next().unwrap_or_default();
    let (status, body) = match (method, path) {
        ("GET", "/metrics") => ("200 OK", page()),
        ("GET", _) => ("404 Not Found", "the page is /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed\r\nAllow: GET", "only GET\n".to_owned()),
    };
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_page_is_served() {
        let page = || "page\n".to_owned();
        let answer = respond("GET /metrics?x HTTP/1.1", &page);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\npage\n"), "{answer}");
        assert!(answer.contains("Content-Length: 5\r\n"));
        assert!(respond("GET / HTTP/1.1", &page).starts_with("HTTP/1.1 404 "));
        assert!(respond("POST /metrics HTTP/1.1", &page).starts_with("HTTP/1.1 405 "));
        assert!(respond("", &page).starts_with("HTTP/1.1 405 "));
    }

    #[tokio::test]
    async fn a_client_that_says_nothing_holds_nobody_up() {
        let endpoint = Endpoint::listen("127.0.0.1:0".parse().unwrap(), || "page".to_owned()).await.unwrap();
        let silent = TcpStream::connect(endpoint.address).await.unwrap();
        let mut client = TcpStream::connect(endpoint.address).await.unwrap();
        client.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("\r\n\r\npage"), "{answer}");
        drop(silent);
    }
}

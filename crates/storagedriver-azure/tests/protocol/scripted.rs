//! A server that answers as a test tells it, for replies that no other server gives.

use std::sync::{Arc, Mutex};

use storagedriver::{Parameters, Storage};
use storagedriver_azure::AzureParameters;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn has(&self, pair: &str) -> bool {
        self.target.split(['?', '&']).any(|part| part == pair)
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }
}

/// A reply; its length is added.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Reply {
    pub(crate) fn new(status: u16) -> Self {
        let headers = vec![("x-ms-request-id".to_owned(), "request-77".to_owned())];
        Reply { status, headers, body: String::new() }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: &str) -> Self {
        self.body = body.to_owned();
        self
    }

    /// A refusal as the service writes it.
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        Reply::new(status).header("x-ms-error-code", code).body(&format!(
            "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{message}\n\
             RequestId:request-77\nTime:2026-11-21T06:00:00Z</Message></Error>"
        ))
    }

    /// What stands for a blob that is there.
    pub(crate) fn blob(status: u16) -> Self {
        Reply::new(status)
            .header("etag", "\"0x1\"")
            .header("last-modified", "Sat, 21 Nov 2026 06:00:00 GMT")
            .header("x-ms-blob-type", "BlockBlob")
    }
}

type Answer = dyn Fn(&Asked) -> Reply + Send + Sync;

/// The server; it ends with the runtime of its test.
pub(crate) struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, answer): (_, Arc<Answer>) = (asked.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, answer) = (log.clone(), answer.clone());
                tokio::spawn(async move {
                    let _ = serve(stream, &log, &*answer).await;
                });
            }
        });
        Server { port, asked }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The requests up to now.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The driver on this server, with these parameters in place of an account key.
    pub(crate) fn storage_with(&self, more: &[(&str, &str)]) -> Storage {
        let mut parameters = Parameters::from_iter([("accountname", "layers"), ("container", "registry")]);
        parameters.insert("serviceurl", self.endpoint());
        parameters.insert("retry_delay", "1ms");
        parameters.extend(more.iter().copied());
        AzureParameters::parse(parameters).unwrap().into_storage().unwrap()
    }

    pub(crate) fn storage(&self) -> Storage {
        self.storage_with(&[("accountkey", KEY)])
    }
}

pub(crate) const KEY: &str = "Z2VoZWltZXIgU2NobMO8c3NlbA==";

async fn serve(mut stream: TcpStream, log: &Mutex<Vec<Asked>>, answer: &Answer) -> std::io::Result<()> {
    let mut read = Vec::new();
    let end = loop {
        if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut read).await? == 0 {
            return Ok(());
        }
        if read.first() == Some(&0x16) {
            // TLS, which this server does not speak, and answers as others do.
            return stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
        }
    };
    let head = String::from_utf8_lossy(&read[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut body = read.split_off(end + 4);
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
    while body.len() < length && stream.read_buf(&mut body).await? > 0 {}
    let asked = Asked { method: first.next().unwrap(), target: first.next().unwrap(), headers, body };
    log.lock().unwrap().push(asked.clone());
    let reply = answer(&asked);
    let mut text = format!("HTTP/1.1 {} X\r\nconnection: close\r\n", reply.status);
    if !reply.headers.iter().any(|(name, _)| name == "content-length") {
        text.push_str(&format!("content-length: {}\r\n", reply.body.len()));
    }
    for (name, value) in &reply.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    if asked.method != "HEAD" {
        text.push_str(&reply.body);
    }
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

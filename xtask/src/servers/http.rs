//! As much of an HTTP client as it takes to ask a server on this machine whether it is there, and to
//! make a bucket on it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use object_store::client::HttpRequest;

use crate::project::Outcome;

const PATIENCE: Duration = Duration::from_secs(30);

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// What came after the head, as it came: possibly in chunks.
    pub(crate) body: String,
}

/// Sends a request of the given body to a URL without TLS, and reads the whole answer.
///
/// # Errors
/// The server cannot be reached, or what it answers is no HTTP.
pub(crate) fn send(request: &HttpRequest, body: &str) -> Outcome<Reply> {
    let uri = request.uri();
    let authority = uri.authority().ok_or_else(|| format!("{uri} names no host"))?;
    let failed = |error| format!("{} {uri}: {error}", request.method());
    let mut stream = TcpStream::connect(authority.as_str()).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let mut text =
        format!("{} {target} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n", request.method());
    for (name, value) in request.headers().iter().filter(|(name, _)| *name != "host") {
        text += &format!("{name}: {}\r\n", value.to_str()?);
    }
    text += &format!("content-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).map_err(failed)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(failed)?;
    parse(&String::from_utf8_lossy(&answer)).ok_or_else(|| format!("{uri} answers no HTTP").into())
}

fn parse(answer: &str) -> Option<Reply> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let mut words = head.split_whitespace();
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    Some(Reply { status: words.next()?.parse().ok()?, body: body.to_owned() })
}

/// The status of a GET; `None` while nobody answers.
pub(crate) fn status(url: &str) -> Option<u16> {
    let request = http::Request::get(url).body(Vec::new().into()).ok()?;
    send(&request, "").ok().map(|reply| reply.status)
}

/// What a GET answers; `None` unless that is a success.
pub(crate) fn get(url: &str) -> Option<String> {
    let request = http::Request::get(url).body(Vec::new().into()).ok()?;
    send(&request, "").ok().filter(|reply| reply.status == 200).map(|reply| reply.body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read() {
        let reply = parse("HTTP/1.1 409 Conflict\r\na: b\r\n\r\nthere is one").unwrap();
        assert_eq!((reply.status, reply.body.as_str()), (409, "there is one"));
        assert!(parse("SSH-2.0-x\r\n\r\n").is_none());
        assert!(parse("HTTP/1.1 200 OK\r\n").is_none());
    }
}

//! Signatures, digests of bodies, tokens, and the URLs that are signed for others.

use std::io::{Read, Write};
use std::net::TcpStream;

use storagedriver::url::Url;
use storagedriver::{Parameters, RedirectRequest, Secret};
use storagedriver_s3::S3Parameters;
use storagedriver_testservers::{Authentication, S3Options, S3Server};

use crate::open;
use crate::servers::{options, parameters, small};

/// What a client without keys gets at a URL: status line and body.
fn fetch(url: &Url, method: &str) -> (String, String) {
    let address = url.socket_addrs(|| None).unwrap();
    let mut stream = TcpStream::connect(&address[..]).unwrap();
    let (path, query) = (url.path(), url.query().unwrap_or_default());
    let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    write!(stream, "{method} {path}?{query} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_url_lets_anybody_read() {
    let token = "token/+=&x";
    for (authentication, token) in
        [(Authentication::Signature, None), (Authentication::SessionToken(token.to_owned()), Some(token))]
    {
        let server = S3Server::start(S3Options { authentication, ..options() }).unwrap();
        let mut parameters = parameters(&server.endpoint(), "odd root/+~");
        parameters.sessiontoken = token.map(Secret::new);
        let storage = parameters.into_storage().unwrap();
        storage.put_content("/d/a", "content").await.unwrap();
        let get = storage.redirect_url(&RedirectRequest::get(), "/d/a").await.unwrap().unwrap();
        assert_eq!(fetch(&get, "GET"), ("HTTP/1.1 200 OK".to_owned(), "content".to_owned()));
        assert!(fetch(&get, "HEAD").0.contains("403"), "another method than was signed");
        let head = storage.redirect_url(&RedirectRequest::new("HEAD"), "/d/a").await.unwrap().unwrap();
        assert_eq!(fetch(&head, "HEAD").0, "HTTP/1.1 200 OK");
        assert!(get.query().unwrap().contains("X-Amz-Expires=1200"), "20 minutes");
        assert!(storage.redirect_url(&RedirectRequest::new("PUT"), "/d/a").await.unwrap().is_none());
    }
}

#[tokio::test]
async fn bodies_are_signed_where_nothing_else_protects_them() {
    let server = S3Server::start(options()).unwrap();
    let storage = open(&server.endpoint(), "", small("aws"));
    for size in [0, 7, 300_000] {
        storage.put_content("/a", vec![7; size]).await.unwrap();
        let request = server.requests().all().pop().unwrap();
        let digest = request.header("x-amz-content-sha256").unwrap();
        assert!(digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "{digest}");
        assert_eq!(request.header("content-length"), Some(size.to_string().as_str()));
        assert!(request.header("transfer-encoding").is_none());
    }
}

#[tokio::test]
async fn the_user_agent_is_added_to() {
    let server = S3Server::start(options()).unwrap();
    let mut parameters = parameters(&server.endpoint(), "");
    parameters.useragent = Some("registry/3".to_owned());
    parameters.into_storage().unwrap().put_content("/a", "x").await.unwrap();
    let request = server.requests().all().pop().unwrap();
    let agent = request.header("user-agent").unwrap();
    assert!(agent.starts_with("storagedriver/") && agent.ends_with(" registry/3"), "{agent}");
}

#[tokio::test]
async fn nothing_secret_is_shown() {
    let given = Parameters::from_iter([
        ("bucket", "layers"),
        ("region", "eu-west-1"),
        ("accesskey", "access"),
        ("secretkey", "hidden1"),
        ("sessiontoken", "hidden2"),
    ]);
    let parameters = S3Parameters::parse(given).unwrap();
    let mut shown = format!("{parameters:?}");
    shown += &format!("{:?}", parameters.into_backend(storagedriver_s3::S3Options::new("s3")).unwrap());
    assert!(!shown.contains("hidden"), "{shown}");
}

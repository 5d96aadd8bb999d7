//! What happens to a request before `s3s` parses it, and to a reply after.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use s3s::service::S3Service;

use super::hosts::Hosts;
use super::options::{Addressing, Authentication, S3Options};
use super::refusal::{Answer, S3Refusal};
use crate::listener::{Body, Reply, body};
use crate::store::{State, Store, md5};
use crate::xml;

/// The layer before `s3s`.
#[derive(Clone)]
pub(super) struct Front {
    pub(super) service: S3Service,
    pub(super) options: Arc<S3Options>,
    pub(super) hosts: Hosts,
    pub(super) refusal: Arc<Mutex<Option<S3Refusal>>>,
    pub(super) store: Store,
}

impl Front {
    pub(super) async fn answer(self, request: Request<Bytes>) -> Reply {
        let head = request.method() == Method::HEAD;
        let id = request_id(&mut self.store.lock());
        let resource = request.uri().path().to_owned();
        let reply = match self.admit(request) {
            Err(answer) => error(&answer),
            Ok(request) => match self.service.call(request.map(s3s::Body::from)).await {
                Ok(reply) => reply.map(|sent| BodyExt::boxed_unsync(BodyExt::map_err(sent, Into::into))),
                Err(_) => error(&S3Refusal::InternalError.answer("")),
            },
        };
        finish(reply, &id, &resource, head).await
    }

    /// Refuses, or hands on what `s3s` shall see.
    fn admit(&self, mut request: Request<Bytes>) -> Result<Request<Bytes>, Answer> {
        let refusal = *self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(refusal) = refusal {
            return Err(refusal.answer(&self.bucket_of(&request)));
        }
        self.check_address(&request)?;
        self.check_encoding(&request)?;
        check_digests(&request)?;
        match &self.options.authentication {
            Authentication::Signature => self.check_region(&request)?,
            Authentication::SessionToken(token) => {
                self.check_region(&request)?;
                let sent = header(&request, "x-amz-security-token")
                    .map(str::to_owned)
                    .or_else(|| parameter(&request, "X-Amz-Security-Token"));
                if sent.as_deref() != Some(token) {
                    let message = "The provided token is malformed or otherwise invalid.";
                    return Err(Answer::new(StatusCode::BAD_REQUEST, "InvalidToken", message));
                }
            }
            Authentication::Bearer(token) => {
                let sent = header(&request, "authorization").and_then(|value| value.strip_prefix("Bearer "));
                if sent != Some(token) {
                    return Err(Answer::new(
                        StatusCode::UNAUTHORIZED,
                        "AuthenticationRequired",
                        "Authentication required.",
                    ));
                }
                request.headers_mut().remove(AUTHORIZATION);
            }
            Authentication::Anonymous => {
                request.headers_mut().remove(AUTHORIZATION);
            }
        }
        Ok(request)
    }

    fn check_address(&self, request: &Request<Bytes>) -> Result<(), Answer> {
        let virtual_host = self.virtual_bucket(request).is_some();
        let refused = match self.options.addressing {
            Addressing::Both => false,
            Addressing::PathOnly => virtual_host,
            Addressing::VirtualHostOnly => !virtual_host,
        };
        if !refused {
            return Ok(());
        }
        Err(match self.options.addressing {
            Addressing::VirtualHostOnly => Answer::new(
                StatusCode::FORBIDDEN,
                "SecondLevelDomainForbidden",
                "Please use virtual hosted style to access.",
            ),
            _ => Answer::new(
                StatusCode::BAD_REQUEST,
                "InvalidRequest",
                "Virtual hosted style is not supported.",
            ),
        })
    }

    /// The bucket that the host names, if it does.
    fn virtual_bucket<'a>(&'a self, request: &'a Request<Bytes>) -> Option<&'a str> {
        let host = match header(request, HOST.as_str()) {
            Some(host) => host,
            None => request.uri().authority()?.as_str(),
        };
        self.hosts.bucket(host)
    }

    fn bucket_of(&self, request: &Request<Bytes>) -> String {
        match self.virtual_bucket(request) {
            Some(bucket) => bucket.to_owned(),
            None => request.uri().path().split('/').nth(1).unwrap_or_default().to_owned(),
        }
    }

    fn check_encoding(&self, request: &Request<Bytes>) -> Result<(), Answer> {
        let names = |name, value| header(request, name).is_some_and(|text| text.contains(value));
        let chunked = names("content-encoding", "aws-chunked") || names("x-amz-content-sha256", "STREAMING-");
        if self.options.aws_chunked || !chunked {
            return Ok(());
        }
        let message = "aws-chunked encoding is not supported with the specified x-amz-content-sha256 value.";
        Err(Answer::new(StatusCode::BAD_REQUEST, "InvalidArgument", message))
    }

    /// AWS looks at the region of a signature before it verifies it.
    fn check_region(&self, request: &Request<Bytes>) -> Result<(), Answer> {
        let scope = header(request, "authorization")
            .and_then(|value| value.split_once("Credential="))
            .map(|(_, rest)| rest.split(',').next().unwrap_or_default().to_owned())
            .or_else(|| parameter(request, "X-Amz-Credential"));
        match scope.as_deref().and_then(|scope| scope.split('/').nth(2)) {
            Some(named) if named != self.options.region => {
                Err(Answer::wrong_region(named, &self.options.region))
            }
            _ => Ok(()),
        }
    }
}

/// Compares a body with the digests that were sent for it. Those by CRC are not computed here.
fn check_digests(request: &Request<Bytes>) -> Result<(), Answer> {
    // What is in chunks is not the content, and has digests of its own, which `s3s` knows.
    if header(request, "content-encoding").is_some_and(|encoding| encoding.contains("aws-chunked")) {
        return Ok(());
    }
    let body = request.body();
    let bad = |code, message: &str| Answer::new(StatusCode::BAD_REQUEST, code, message);
    if let Some(sent) = header(request, "content-md5") {
        match STANDARD.decode(sent) {
            Ok(sent) if sent.len() == 16 => {
                if sent != md5(&body.clone().into()) {
                    let message = "The Content-MD5 you specified did not match what we received.";
                    return Err(bad("BadDigest", message));
                }
            }
            _ => return Err(bad("InvalidDigest", "The Content-MD5 you specified was invalid.")),
        }
    }
    if let Some(sent) = header(request, "x-amz-checksum-sha256")
        && sent != STANDARD.encode(ring::digest::digest(&ring::digest::SHA256, body))
    {
        return Err(bad("BadDigest", "The SHA256 you specified did not match the calculated checksum."));
    }
    Ok(())
}

fn header<'a>(request: &'a Request<Bytes>, name: &str) -> Option<&'a str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

fn parameter(request: &Request<Bytes>, name: &str) -> Option<String> {
    let query = request.uri().query()?;
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn request_id(state: &mut State) -> String {
    format!("{:016X}", 0x7A5E_0000_0000_0000 + state.number())
}

fn error(answer: &Answer) -> Reply {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
    text.push_str(&xml::element("Code", answer.code));
    text.push_str(&xml::element("Message", &answer.message));
    for (name, value) in &answer.elements {
        text.push_str(&xml::element(name, value));
    }
    text.push_str("</Error>");
    let mut reply = Response::new(body(text));
    *reply.status_mut() = answer.status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    for (name, value) in &answer.headers {
        if let Ok(value) = value.parse() {
            reply.headers_mut().insert(*name, value);
        }
    }
    reply
}

/// Adds the request id, to the body of an error too, as S3 does.
async fn finish(reply: Reply, id: &str, resource: &str, head: bool) -> Reply {
    let (mut parts, sent) = reply.into_parts();
    for (name, value) in [("x-amz-request-id", id), ("x-amz-id-2", "testservers")] {
        if let Ok(value) = value.parse() {
            parts.headers.insert(name, value);
        }
    }
    let refused =
        parts.status.is_client_error() || parts.status.is_server_error() || parts.status.is_redirection();
    if !refused {
        return Response::from_parts(parts, sent);
    }
    parts.headers.remove(CONTENT_LENGTH);
    if head || parts.status == StatusCode::NOT_MODIFIED {
        return Response::from_parts(parts, body(Bytes::new()));
    }
    Response::from_parts(parts, explained(sent, id, resource).await)
}

async fn explained(sent: Body, id: &str, resource: &str) -> Body {
    let Ok(collected) = sent.collect().await else { return body(Bytes::new()) };
    let bytes = collected.to_bytes();
    let text = String::from_utf8_lossy(&bytes);
    match text.strip_suffix("</Error>") {
        Some(start) => body(format!(
            "{start}{}{}{}</Error>",
            xml::element("Resource", resource),
            xml::element("RequestId", id),
            xml::element("HostId", "testservers")
        )),
        None => body(bytes),
    }
}

//! A reply that streams, and goes on where it was cut.

use std::sync::Arc;

use ::http::StatusCode;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use storagedriver::ErrorKind;

use super::attempts::{Attempts, Failed};
use super::transport::Broken;
use super::{HttpClient, ReplyHead, Request, Service};
use crate::{StoreError, StoreResult};

/// Makes the request for what comes after so many bytes.
type Resume = Box<dyn Fn(u64) -> Request + Send + Sync>;

/// A download that has begun.
struct Running {
    client: HttpClient,
    service: Arc<dyn Service>,
    request: Request,
    resume: Resume,
    reply: Option<reqwest::Response>,
    /// How many bytes there are in all, if the store said so.
    expected: Option<u64>,
    delivered: u64,
    attempts: Attempts,
}

impl HttpClient {
    /// Sends a GET and returns the head of the reply and its body as it arrives. Where the body is
    /// cut or stalls, `resume` is asked for the request of what comes after the bytes that were
    /// delivered; it has to demand the same version (`If-Match`). The stream goes on with it, or
    /// ends in an error; it never ends early in silence where the store told the length.
    ///
    /// # Errors
    /// As [`exchange`](Self::exchange).
    pub async fn download(
        &self,
        service: Arc<dyn Service>,
        request: Request,
        resume: Box<dyn Fn(u64) -> Request + Send + Sync>,
    ) -> StoreResult<(ReplyHead, BoxStream<'static, StoreResult<Bytes>>)> {
        let mut attempts = Attempts::new();
        let (head, reply) = self.open(&*service, &request, &mut attempts).await?;
        let running = Running {
            client: self.clone(),
            service,
            request,
            resume,
            expected: reply.content_length(),
            reply: Some(reply),
            delivered: 0,
            attempts: Attempts::new(),
        };
        let body = stream::try_unfold(running, |mut running| async move {
            Ok(running.next().await?.map(|chunk| (chunk, running)))
        });
        Ok((head, body.boxed()))
    }

    async fn open(
        &self,
        service: &dyn Service,
        request: &Request,
        attempts: &mut Attempts,
    ) -> StoreResult<(ReplyHead, reqwest::Response)> {
        loop {
            match self.send(service, request).await {
                Ok(opened) => return Ok(opened),
                Err(failed) => attempts.again(self, service, request, failed).await?,
            }
        }
    }
}

impl Running {
    async fn next(&mut self) -> StoreResult<Option<Bytes>> {
        loop {
            let mut reply = match self.reply.take() {
                Some(reply) => reply,
                None => self.reopen().await?,
            };
            let broken = match self.client.next_chunk(&mut reply).await {
                Ok(Some(chunk)) => {
                    self.delivered = self.delivered.saturating_add(chunk.len() as u64);
                    self.reply = Some(reply);
                    // It goes on: what failed before is past.
                    self.attempts = Attempts::new();
                    return Ok(Some(chunk));
                }
                Ok(None) => match self.expected {
                    Some(expected) if self.delivered < expected => Broken::cut(self.delivered, expected),
                    _ => {
                        self.reply = Some(reply);
                        return Ok(None);
                    }
                },
                Err(broken) => broken,
            };
            if self.expected == Some(self.delivered) {
                return Ok(None);
            }
            let failed = Failed::Broken(broken);
            self.attempts.again(&self.client, &*self.service, &self.request, failed).await?;
        }
    }

    async fn reopen(&mut self) -> StoreResult<reqwest::Response> {
        let request = (self.resume)(self.delivered);
        let opened = self.client.open(&*self.service, &request, &mut self.attempts).await;
        let (head, reply) = opened?;
        if self.delivered > 0 && head.status != StatusCode::PARTIAL_CONTENT {
            let reason = format!(
                "{} of {}: the reply was cut after {} bytes, and the store does not send the rest alone",
                request.what,
                request.place(),
                self.delivered
            );
            return Err(StoreError::failed(ErrorKind::Unavailable, reason));
        }
        Ok(reply)
    }
}

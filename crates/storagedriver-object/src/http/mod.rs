//! The HTTP client of the backends: one place for retries, stalls, cut bodies and what a refusal
//! means.
//!
//! Credentials, signing and the types of requests are those of `object_store`; its operations are
//! not used, because they hide the status, `Retry-After` and the number of attempts. A backend
//! implements [`Service`], builds a [`Request`] and gives it to [`HttpClient::exchange`] or
//! [`HttpClient::download`]:
//!
//! ```
//! use object_store::client::HttpRequest;
//! use storagedriver_object::http::{
//!     HttpClient, HttpOptions, Method, Refusal, ReplyHead, Request, Service,
//! };
//! use storagedriver_object::StoreResult;
//!
//! #[derive(Debug)]
//! struct Anonymous;
//!
//! #[storagedriver::async_trait]
//! impl Service for Anonymous {
//!     async fn authorize(&self, _: &mut HttpRequest) -> StoreResult<()> {
//!         Ok(())
//!     }
//!
//!     fn refusal(&self, head: &ReplyHead, body: &[u8]) -> Refusal {
//!         Refusal::plain(head, body)
//!     }
//! }
//!
//! async fn size(client: &HttpClient, url: storagedriver::url::Url) -> StoreResult<u64> {
//!     let request = Request::new("HeadObject", Method::HEAD, url);
//!     client.exchange(&Anonymous, &request, 0, |head, _| head.content_length()).await
//! }
//! ```

mod attempts;
mod client;
mod download;
mod options;
mod refusal;
mod request;
mod sending;
#[cfg(test)]
mod tests;
mod tls;
mod transport;

pub use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
pub use client::{Connector, HttpClient, Service};
pub use options::HttpOptions;
pub use refusal::Refusal;
pub use request::{ReplyHead, Request};

//! Storage middleware: layers around a driver that decide where clients fetch content from.
//! [`Redirect`] sends them to another server, [`Rewrite`] changes the URL that the driver gives, and
//! `CloudFront` (feature `cloudfront`) signs URLs of Amazon's content delivery network. All else goes
//! to the driver as it is. Linked into a program, they are found by the names that CNCF Distribution
//! gives them in `middleware.storage`: `redirect`, `rewrite`, `cloudfront`.
//!
//! ```
//! use storagedriver::{RedirectRequest, Storage};
//! use storagedriver_middleware::{BaseUrl, Redirect};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let storage = Storage::new(storagedriver_inmemory::InMemory::new());
//! let mirror = BaseUrl::parse("https://mirror.example.com/layers")?;
//! let storage = storage.layer(|driver| Redirect::new(driver, mirror));
//!
//! let url = storage.redirect_url(&RedirectRequest::get(), "/a/b").await?;
//! assert_eq!(url.map(String::from).as_deref(), Some("https://mirror.example.com/layers/a/b"));
//! # Ok(())
//! # }
//! ```
#![doc(html_root_url = "https://docs.rs/storagedriver-middleware")]

mod base_url;
#[cfg(feature = "cloudfront")]
pub mod cloudfront;
mod redirect;
mod rewrite;

pub use base_url::{BaseUrl, InvalidUrl};
#[cfg(feature = "cloudfront")]
pub use cloudfront::{CLOUDFRONT, CloudFront, CloudFrontParameters};
pub use redirect::{REDIRECT, Redirect, RedirectParameters};
pub use rewrite::{REWRITE, Rewrite, RewriteParameters, UrlChange};

use storagedriver::RedirectRequest;

/// Whether a client wants to read. The others' URLs are the driver's matter: what writes has to
/// reach the store itself.
fn reads(request: &RedirectRequest) -> bool {
    matches!(request.method.as_str(), "GET" | "HEAD")
}

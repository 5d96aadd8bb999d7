//! The XML of requests and replies.

mod element;
mod replies;
mod requests;

pub(crate) use element::Element;
pub(crate) use replies::{Listing, begun, completed, deleted, etag, failure, listing, uploads, written_part};
pub(crate) use requests::{can_be_named, completion, deletion};

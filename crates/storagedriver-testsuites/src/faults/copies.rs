//! Azure copies that look as if they were still under way.

use std::collections::HashMap;

use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Method, StatusCode};

use super::request::Asked;
use super::{CopyEnd, Fault};

const STATUS: &str = "x-ms-copy-status";

#[derive(Debug)]
struct Copy {
    polls: u32,
    end: CopyEnd,
}

/// The copies by the path of their destination.
#[derive(Debug, Default)]
pub(super) struct Copies(HashMap<String, Copy>);

impl Copies {
    /// Rewrites the head of a reply as the copy to its path asks.
    pub(super) fn rewrite(
        &mut self,
        asked: &Asked,
        fault: Option<&Fault>,
        status: StatusCode,
        headers: &mut HeaderMap,
    ) {
        if !status.is_success() {
            return;
        }
        match asked.method {
            Method::PUT | Method::DELETE => {
                // Whatever it was, it is replaced.
                self.0.remove(&asked.path);
                if let Some(Fault::PendingCopy { polls, end }) = fault {
                    self.0.insert(asked.path.clone(), Copy { polls: *polls, end: *end });
                    headers.insert(STATUS, HeaderValue::from_static("pending"));
                }
            }
            Method::GET | Method::HEAD => {
                if let Some(copy) = self.0.get_mut(&asked.path) {
                    copy.tell(headers);
                }
            }
            _ => {}
        }
    }
}

impl Copy {
    fn tell(&mut self, headers: &mut HeaderMap) {
        let status = match (self.polls, self.end) {
            (1.., _) => "pending",
            (0, CopyEnd::Success) => return,
            (0, CopyEnd::Failed) => "failed",
            (0, CopyEnd::Aborted) => "aborted",
        };
        self.polls = self.polls.saturating_sub(1);
        headers.insert(STATUS, HeaderValue::from_static(status));
    }
}

//! `url`: where a client can do a request itself.

use std::fmt;

use serde::Serialize;
use storagedriver::RedirectRequest;

use super::Session;
use crate::arguments::Url;
use crate::failure::{Answer, Failure};
use crate::open;
use crate::output::Record;
use crate::paint::Paint;

/// The URL.
#[derive(Serialize)]
struct Line<'a> {
    path: &'a str,
    method: &'a str,
    url: &'a str,
}

impl Record for Line<'_> {
    fn text(&self, f: &mut fmt::Formatter<'_>, _: Paint) -> fmt::Result {
        f.write_str(self.url)
    }
}

pub(crate) async fn run(arguments: Url, session: &mut Session) -> Result<Answer, Failure> {
    let storage = open::with_all_middleware(&arguments.storage).await?;
    let (path, method) = (&arguments.path, arguments.method.to_ascii_uppercase());
    let request = RedirectRequest::new(method.as_str()).with_expiry(arguments.expiry);
    match storage.redirect_url(&request, path).await? {
        Some(url) => {
            session.output.record(&Line { path, method: &method, url: url.as_str() })?;
            Ok(Answer::Yes)
        }
        None => Err(Failure::NoUrl { driver: storage.name().to_owned(), method, path: path.clone() }),
    }
}

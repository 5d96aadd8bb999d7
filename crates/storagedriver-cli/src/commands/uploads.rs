//! `uploads`: what was begun and neither committed nor cancelled.

use std::fmt;

use serde::Serialize;
use storagedriver::UploadInfo;

use super::Session;
use super::entry::Size;
use crate::arguments::Uploads;
use crate::failure::{Answer, Failure};
use crate::format::Time;
use crate::open;
use crate::output::Record;
use crate::paint::Paint;

/// One upload.
#[derive(Serialize)]
struct Upload {
    path: String,
    /// Bytes that are durable.
    size: u64,
    modified: Time,
    id: String,
    aborted: bool,
    #[serde(skip)]
    human: bool,
}

impl Record for Upload {
    fn text(&self, f: &mut fmt::Formatter<'_>, _: Paint) -> fmt::Result {
        let size = Size { size: Some(self.size), human: self.human };
        write!(f, "{:>12}  {}  {}", size.to_string(), self.modified, self.path)
    }
}

pub(crate) async fn run(arguments: Uploads, session: &mut Session) -> Result<Answer, Failure> {
    let storage = open::only(&arguments.storage).await?;
    let (uploads, aborted) = match arguments.abort_older_than {
        None => (storage.uploads(&arguments.path).await?, false),
        Some(age) => (storage.abort_stale(&arguments.path, age).await?.aborted, true),
    };
    for upload in &uploads {
        session.output.record(&line(upload, aborted, arguments.human))?;
    }
    Ok(Answer::Yes)
}

fn line(upload: &UploadInfo, aborted: bool, human: bool) -> Upload {
    Upload {
        path: upload.path().to_string(),
        size: upload.size(),
        modified: Time(upload.modified()),
        id: upload.id().to_owned(),
        aborted,
        human,
    }
}

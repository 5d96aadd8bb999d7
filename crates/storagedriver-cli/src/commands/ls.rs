//! `ls`: the direct children of a directory.

use storagedriver::{FileInfo, Storage};

use super::Session;
use super::entry::{Entry, Style};
use crate::arguments::Ls;
use crate::failure::{Answer, Failure};
use crate::open;

pub(crate) async fn run(arguments: Ls, session: &mut Session) -> Result<Answer, Failure> {
    let storage = open::only(&arguments.storage).await?;
    let style = Style::from(&arguments.listing);
    for info in storage.list(&arguments.path).await? {
        let info = match style {
            Style::Key => Some(info),
            Style::Long { .. } => complete(&storage, info).await?,
        };
        if let Some(info) = info {
            session.output.record(&Entry::new(&info, style))?;
        }
    }
    Ok(Answer::Yes)
}

/// The entry with the size and the time that `list` left open; `None` if it is gone.
pub(super) async fn complete(storage: &Storage, info: FileInfo) -> Result<Option<FileInfo>, Failure> {
    if !info.is_file() || (info.size().is_some() && info.modified().is_some()) {
        return Ok(Some(info));
    }
    match storage.stat(info.path().as_str()).await {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

//! `rm`: deletes.

use serde::Serialize;
use storagedriver::Storage;

use super::Session;
use crate::arguments::Rm;
use crate::failure::{Answer, Failure};
use crate::open;

#[derive(Serialize)]
struct Deleted<'a> {
    path: &'a str,
}

pub(crate) async fn run(arguments: Rm, session: &mut Session) -> Result<Answer, Failure> {
    let storage = open::only(&arguments.storage).await?;
    for path in &arguments.paths {
        if !arguments.recursive {
            refuse_directory(&storage, path).await?;
        }
        storage.delete(path).await?;
        if session.output.json() {
            session.output.object(&Deleted { path })?;
        }
    }
    Ok(Answer::Yes)
}

/// Storage deletes whatever lies below a path, so asking comes first. A directory that appears in
/// between is deleted with the path.
async fn refuse_directory(storage: &Storage, path: &str) -> Result<(), Failure> {
    let holds_others = match storage.stat(path).await {
        Ok(info) => info.is_dir(),
        // Not even a directory, but uploads may be below it.
        Err(error) if error.is_not_found() => {
            storage.uploads(path).await?.iter().any(|upload| upload.path().as_str() != path)
        }
        Err(error) => return Err(error.into()),
    };
    if holds_others {
        return Err(Failure::Usage(format!(
            "{path} is a directory; --recursive deletes it and all below it"
        )));
    }
    Ok(())
}

//! The passes over the storage.

use std::sync::Arc;

use storagedriver::{Result, WalkOptions};

use super::check::Check;
use crate::registry::{BLOBS, Entry, REPOSITORIES, classify};
use crate::transfer::{Jobs, Phase};

/// Checks everything that is to be checked.
pub(super) async fn check_all(check: &Arc<Check>) -> Result<()> {
    check.ledger.monitor.began(Phase::Blobs);
    pass(check, BLOBS).await?;
    check.ledger.monitor.began(Phase::Repositories);
    pass(check, REPOSITORIES).await
}

async fn pass(check: &Arc<Check>, start: &str) -> Result<()> {
    let mut options = WalkOptions::new();
    options.start_after.clone_from(&check.options.start_after);
    let mut walk = match check.storage.walk(start, options).await {
        Ok(walk) => walk,
        Err(error) if error.is_not_found() => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut jobs = Jobs::new(check.options.transfers);
    let mut first = true;
    loop {
        let info = match walk.next().await {
            // A native walk may say only at its first step that there is nothing.
            Err(error) if first && error.is_not_found() => break,
            step => step?,
        };
        first = false;
        let Some(info) = info else { break };
        if !info.is_file() {
            continue;
        }
        let path = info.path().as_str().to_owned();
        let entry = classify(&path);
        check.ledger.monitor.looked_at(entry.digest().as_ref());
        match entry {
            Entry::Blob { digest } => {
                check.blob_is_there(&digest)?;
                if check.is_chosen(&digest) {
                    let check = check.clone();
                    jobs.start(async move {
                        let outcome = check.check_blob(&digest).await;
                        check.ledger.enter(&path, outcome)
                    })
                    .await?;
                }
            }
            Entry::Upload { .. } | Entry::Other => {}
            link => {
                check.link_is_there(&path, &link);
                let check = check.clone();
                jobs.start(async move {
                    let outcome = check.check_link(&path, &link).await;
                    check.ledger.enter(&path, outcome)
                })
                .await?;
            }
        }
    }
    jobs.finish().await
}

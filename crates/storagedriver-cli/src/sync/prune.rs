//! Deleting what the source does not have.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use storagedriver::Result;

use super::copy::file_size;
use super::join::{Join, Pair, Scope};
use super::run::Run;
use crate::registry::{Entry, Fault, FaultKind, classify};
use crate::transfer::{Jobs, Phase, Trouble};

/// What is deleted before what: at no time does a tag refer to something that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Tags,
    Revisions,
    Layers,
    Rest,
}

impl Stage {
    const ALL: [Stage; 4] = [Stage::Tags, Stage::Revisions, Stage::Layers, Stage::Rest];

    fn of(entry: &Entry) -> Stage {
        match entry {
            Entry::TagCurrent { .. } | Entry::TagIndex { .. } => Stage::Tags,
            Entry::RevisionLink { .. } => Stage::Revisions,
            Entry::LayerLink { .. } | Entry::SignatureLink { .. } => Stage::Layers,
            Entry::Blob { .. } | Entry::Upload { .. } | Entry::Other => Stage::Rest,
        }
    }
}

/// Deletes what only the destination has. Nothing if there was a fault: what should have replaced
/// it may be missing.
pub(super) async fn delete_extra(run: &Arc<Run>) -> Result<()> {
    if run.ledger.faults() > 0 {
        run.tally.deletion_skipped.store(true, Ordering::Relaxed);
        return Ok(());
    }
    run.monitor().began(Phase::Deletion);
    let mut scopes: Vec<Scope> = run.options.repositories.iter().cloned().map(Scope::Repository).collect();
    if !run.is_partial() {
        scopes.push(Scope::Repositories);
    }
    for stage in Stage::ALL {
        for scope in &scopes {
            pass(run, scope, stage).await?;
        }
    }
    if !run.is_partial() {
        pass(run, &Scope::Blobs, Stage::Rest).await?;
        pass(run, &Scope::Others, Stage::Rest).await?;
    }
    Ok(())
}

async fn pass(run: &Arc<Run>, scope: &Scope, stage: Stage) -> Result<()> {
    let mut join = Join::open(&run.from, &run.to, scope).await?;
    let mut jobs = Jobs::new(run.options.transfers);
    while let Some(pair) = join.next().await? {
        let Pair::To(info) = pair else { continue };
        let path = info.path().as_str().to_owned();
        if Stage::of(&classify(&path)) != stage {
            continue;
        }
        let run = run.clone();
        jobs.start(async move {
            let outcome = delete(&run, &path).await;
            run.ledger.enter(&path, outcome)
        })
        .await?;
    }
    jobs.finish().await
}

async fn delete(run: &Run, path: &str) -> Result<(), Trouble> {
    // It may have come to the source since the walk passed it.
    if file_size(&run.from, path).await?.is_some() {
        return Ok(());
    }
    // On a flat store a file may have files below it, which a deletion would take along.
    match run.to.list(path).await {
        Ok(children) if !children.is_empty() => {
            let detail = "only the destination has it; not deleted, because other files lie below it";
            return Err(Trouble::Fault(Fault::new(FaultKind::NotDeleted, path, detail)));
        }
        Ok(_) => {}
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error.into()),
    }
    if !run.options.dry_run {
        match run.to.delete(path).await {
            Err(error) if !error.is_not_found() => return Err(error.into()),
            _ => {}
        }
    }
    run.deleted(path);
    Ok(())
}

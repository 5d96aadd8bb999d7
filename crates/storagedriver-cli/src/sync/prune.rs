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
            let whole = stage == Stage::Rest && !run.is_partial();
            pass(run, if whole { &Scope::All } else { scope }, stage).await?;
        }
        // A tag that another shard has not brought up to date may refer to what would be deleted next.
        if run.options.shard.is_some() && run.ledger.faults() > 0 {
            run.tally.deletion_skipped.store(true, Ordering::Relaxed);
            return Ok(());
        }
    }
    Ok(())
}

/// What to do with a file of the destination.
#[derive(Debug, Clone, Copy)]
enum Step {
    Delete,
    /// A tag that another shard copies: is that done?
    Compare,
}

fn step(run: &Run, pair: &Pair, stage: Stage) -> Option<Step> {
    let (Pair::Both(info, _) | Pair::From(info) | Pair::To(info)) = pair;
    let path = info.path().as_str();
    let entry = classify(path);
    if Stage::of(&entry) != stage {
        return None;
    }
    let foreign = run.options.shard.is_some_and(|shard| !shard.has_entry(&entry, path));
    // What other shards delete may be what a tag refers to, so all of them delete tags, whoever comes first.
    let others_too = stage == Stage::Tags && !run.options.dry_run;
    match pair {
        Pair::To(_) if !foreign || others_too => Some(Step::Delete),
        Pair::Both(..) if foreign && others_too && matches!(entry, Entry::TagCurrent { .. }) => {
            Some(Step::Compare)
        }
        _ => None,
    }
}

async fn pass(run: &Arc<Run>, scope: &Scope, stage: Stage) -> Result<()> {
    let mut join = Join::open(run, scope).await?;
    let mut jobs = Jobs::new(run.options.transfers);
    while let Some(pair) = join.next().await? {
        let Some(step) = step(run, &pair, stage) else { continue };
        let (Pair::Both(info, _) | Pair::From(info) | Pair::To(info)) = pair;
        let path = info.path().as_str().to_owned();
        let run = run.clone();
        jobs.start(async move {
            let outcome = match step {
                Step::Delete => delete(&run, &path).await,
                Step::Compare => compare(&run, &path).await,
            };
            run.ledger.enter(&path, outcome)
        })
        .await?;
    }
    jobs.finish().await
}

/// Whether a tag stands for the same at both places.
async fn compare(run: &Run, path: &str) -> Result<(), Trouble> {
    if run.same_bytes(path).await? {
        return Ok(());
    }
    let detail =
        "the shard that it belongs to has not copied it yet; nothing that it may refer to is deleted";
    Err(Trouble::Fault(Fault::new(FaultKind::NotDeleted, path, detail)))
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
            Ok(()) => {}
            // Another shard came first.
            Err(error) if error.is_not_found() && run.options.shard.is_some() => return Ok(()),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    run.deleted(path);
    Ok(())
}

//! The passes over the two storages.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use storagedriver::{Error, Result};

use super::join::{Join, Pair, Scope};
use super::run::{Run, Settled};
use crate::registry::{
    BLOBS, Entry, Fault, FaultKind, REPOSITORIES, check_repository, classify, repository_path,
};
use crate::transfer::{Jobs, Phase, Trouble};

/// What to do with one file.
#[derive(Debug)]
struct Task {
    path: String,
    entry: Entry,
    /// The size at the source.
    bytes: u64,
    /// The destination has something of the same size, which must be compared.
    compare: bool,
    /// The destination has a link of this name.
    listed: bool,
}

/// Copies everything that is to be copied.
pub(super) async fn copy_all(run: &Arc<Run>) -> Result<()> {
    for name in &run.options.repositories {
        check_repository(name).map_err(|reason| Error::invalid_path(name, reason))?;
    }
    if !run.is_partial() {
        return pass(run, &Scope::All).await.map(|_| ());
    }
    for name in &run.options.repositories {
        if pass(run, &Scope::Repository(name.clone())).await? == 0 {
            let path = repository_path(name);
            let detail = "the source has no such repository";
            run.ledger.fault(Fault::new(FaultKind::MissingRepository, path, detail));
        }
    }
    Ok(())
}

fn phase_of(path: &str) -> Phase {
    let is_below = |directory| path.strip_prefix(directory).is_some_and(|rest: &str| rest.starts_with('/'));
    match path {
        _ if is_below(BLOBS) => Phase::Blobs,
        _ if is_below(REPOSITORIES) => Phase::Repositories,
        _ => Phase::Others,
    }
}

/// Copies what differs in one scope; how many files the source has there.
async fn pass(run: &Arc<Run>, scope: &Scope) -> Result<u64> {
    let mut join = Join::open(run, scope).await?;
    let mut jobs = Jobs::new(run.options.transfers);
    let mut phase = None;
    // A tag's `current` sorts before its `index` and is written after it.
    let mut held: Option<(String, Task)> = None;
    let mut files = 0_u64;
    while let Some(pair) = join.next().await? {
        let (Pair::Both(info, _) | Pair::From(info) | Pair::To(info)) = &pair;
        let path = info.path().as_str();
        if phase != Some(phase_of(path)) {
            // Also a registry's own order: no link before its blob.
            jobs.finish().await?;
            phase = Some(phase_of(path));
            run.monitor().began(phase_of(path));
        }
        let entry = classify(path);
        run.monitor().looked_at(entry.digest().as_ref());
        if let Some((_, task)) = held.take_if(|(tag, _)| !path.starts_with(tag.as_str())) {
            start(run, &mut jobs, task).await?;
        }
        files += u64::from(!matches!(pair, Pair::To(_)));
        if run.options.shard.is_some_and(|shard| !shard.has_entry(&entry, path)) {
            continue;
        }
        let Some(task) = decide(run, entry, pair) else { continue };
        match task.path.strip_suffix("current/link") {
            Some(tag) if matches!(task.entry, Entry::TagCurrent { .. }) => {
                held = Some((tag.to_owned(), task))
            }
            _ => start(run, &mut jobs, task).await?,
        }
    }
    if let Some((_, task)) = held {
        start(run, &mut jobs, task).await?;
    }
    jobs.finish().await?;
    run.tally.uploads.fetch_add(join.uploads(), Ordering::Relaxed);
    Ok(files)
}

/// What to do with a file, as far as the listings tell; `None`: nothing.
fn decide(run: &Run, entry: Entry, pair: Pair) -> Option<Task> {
    let (from, to) = match pair {
        Pair::Both(from, to) => (from, Some(to)),
        Pair::From(from) => (from, None),
        Pair::To(_) => {
            if !run.options.delete {
                run.tally.extra.fetch_add(1, Ordering::Relaxed);
            }
            return None;
        }
    };
    let path = from.path().as_str().to_owned();
    let same_size = to.as_ref().is_some_and(|to| to.size() == from.size());
    let same = match &entry {
        Entry::Blob { .. } => same_size,
        link if link.is_digest_link() => to.is_some(),
        _ => false,
    };
    if same {
        run.same();
        run.settled.insert(&path, Settled::There);
        if !run.is_partial() {
            return None;
        }
    }
    let bytes = from.size().unwrap_or_default();
    Some(Task { path, entry, bytes, compare: same_size, listed: to.is_some() })
}

async fn start(run: &Arc<Run>, jobs: &mut Jobs, task: Task) -> Result<()> {
    let run = run.clone();
    jobs.start(async move {
        let outcome = perform(&run, &task).await;
        run.ledger.enter(&task.path, outcome)
    })
    .await
}

async fn perform(run: &Run, task: &Task) -> Result<(), Trouble> {
    let Task { path, entry, bytes, compare, listed } = task;
    match entry {
        Entry::TagCurrent { repository, tag } => return run.copy_tag(repository, tag, *listed).await,
        // The link is there; of some repositories only, its blob has not been compared yet.
        link if link.is_digest_link() && *listed => {
            return match link.digest() {
                Some(digest) => match run.blob(&digest).await {
                    Ok(()) => Ok(()),
                    Err(trouble) => run.withheld(path, trouble).await,
                },
                None => Ok(()),
            };
        }
        Entry::Other if *compare && run.same_bytes(path).await? => {
            run.same();
            return Ok(());
        }
        _ => {}
    }
    if run.options.dry_run {
        if run.is_partial()
            && let Some(digest) = entry.digest()
        {
            run.blob(&digest).await?;
        }
        run.copied(path, *bytes);
        return Ok(());
    }
    match entry {
        Entry::Blob { digest } => {
            let outcome = run.copy_blob(digest).await;
            if let Err(Trouble::Fault(_)) = &outcome
                && !listed
            {
                let reason = format!("the blob {digest} could not be copied whole");
                run.settled.insert(path, Settled::Never(reason.into()));
            }
            outcome
        }
        link if link.is_digest_link() => run.copy_link(link).await,
        _ => run.copy_plain(path).await,
    }
}

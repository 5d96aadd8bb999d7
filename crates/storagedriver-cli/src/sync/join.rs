//! Two walks, side by side in key order.

use std::cmp::Ordering;

use storagedriver::{FileInfo, Result, Storage, StoragePath, Walk, WalkOptions};

use super::Shard;
use super::run::Run;
use crate::registry::{Entry, REPOSITORIES, classify, repository_path};

/// Which files two storages are compared in.
#[derive(Debug, Clone)]
pub(super) enum Scope {
    /// Everything, the uploads of repositories excepted: in key order blobs come before repositories.
    All,
    /// All repositories, their uploads excepted.
    Repositories,
    /// One repository without what is nested below it, its uploads excepted.
    Repository(String),
}

impl Scope {
    fn start(&self) -> String {
        match self {
            Scope::Repositories => REPOSITORIES.to_owned(),
            Scope::Repository(name) => repository_path(name),
            Scope::All => "/".to_owned(),
        }
    }

    /// Whether what lies below the directory is left out.
    fn leaves_out(&self, directory: &StoragePath) -> bool {
        match self {
            Scope::All | Scope::Repositories => false,
            // Of a repository itself all directories begin with `_`.
            Scope::Repository(name) => {
                !directory.name().starts_with('_')
                    && directory.parent().is_some_and(|parent| parent.as_str() == repository_path(name))
            }
        }
    }
}

/// One file, at one place or at both.
#[derive(Debug)]
pub(super) enum Pair {
    Both(FileInfo, FileInfo),
    From(FileInfo),
    To(FileInfo),
}

/// One of the walks.
struct Side {
    walk: Option<Walk>,
    scope: Scope,
    /// Of which uploads are counted; None: of all.
    shard: Option<Shard>,
    next: Option<FileInfo>,
    uploads: u64,
}

impl Side {
    async fn open(storage: &Storage, scope: Scope, shard: Option<Shard>) -> Result<Self> {
        let walk = match storage.walk(&scope.start(), WalkOptions::new()).await {
            Ok(walk) => Some(walk),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error),
        };
        let mut side = Side { walk, scope, shard, next: None, uploads: 0 };
        match side.advance().await {
            // A native walk may say so only at its first step.
            Err(error) if error.is_not_found() => side.walk = None,
            advanced => advanced?,
        }
        Ok(side)
    }

    /// Goes on to the next file.
    async fn advance(&mut self) -> Result<()> {
        self.next = None;
        let Some(walk) = &mut self.walk else { return Ok(()) };
        while let Some(info) = walk.next().await? {
            let path = info.path();
            if path.as_str().contains("/_uploads")
                && let Entry::Upload { rest, .. } = classify(path.as_str())
            {
                // Walked through, not skipped: on a flat store a skip is a request of its own.
                let is_upload = !rest.is_empty() && !rest.contains('/');
                let ours = |shard: Shard| shard.has(path.as_str());
                self.uploads += u64::from(is_upload && self.shard.is_none_or(ours));
                continue;
            }
            if info.is_file() {
                self.next = Some(info);
                return Ok(());
            }
            if self.scope.leaves_out(path) {
                walk.skip_dir();
            }
        }
        self.walk = None;
        Ok(())
    }
}

/// The files of two storages, each once, in key order. It holds one entry of each.
pub(super) struct Join {
    from: Side,
    to: Side,
}

impl Join {
    /// A start that is absent on a side is an empty side. Files of all shards are shown, and the uploads of
    /// `shard` counted.
    pub(super) async fn open(run: &Run, scope: &Scope) -> Result<Self> {
        let open = |storage| Side::open(storage, scope.clone(), run.options.shard);
        let (from, to) = futures_util::future::try_join(open(&run.from), open(&run.to)).await?;
        Ok(Join { from, to })
    }

    /// The next file; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Pair>> {
        let order = match (&self.from.next, &self.to.next) {
            (None, None) => return Ok(None),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            // The key of a file is its path.
            (Some(from), Some(to)) => from.path().cmp(to.path()),
        };
        let from = if order.is_le() { self.from.next.take() } else { None };
        let to = if order.is_ge() { self.to.next.take() } else { None };
        let pair = match (from, to) {
            (Some(from), Some(to)) => {
                let (a, b) = futures_util::future::join(self.from.advance(), self.to.advance()).await;
                a.and(b)?;
                Pair::Both(from, to)
            }
            (Some(from), None) => {
                self.from.advance().await?;
                Pair::From(from)
            }
            (None, Some(to)) => {
                self.to.advance().await?;
                Pair::To(to)
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(pair))
    }

    /// How many uploads in progress the first side has shown.
    pub(super) fn uploads(&self) -> u64 {
        self.from.uploads
    }
}

//! Jobs that run at once, so many and no more.

use storagedriver::{Error, Result, StoragePath};
use tokio::task::{JoinError, JoinSet};

/// Runs jobs at once, up to a limit. Dropping it stops them.
#[derive(Debug)]
pub(crate) struct Jobs {
    running: JoinSet<Result<()>>,
    limit: usize,
}

fn outcome(finished: Result<Result<()>, JoinError>) -> Result<()> {
    finished.unwrap_or_else(|broken| {
        Err(Error::backend(&StoragePath::root(), "a job of the run panicked").with_source(broken))
    })
}

impl Jobs {
    pub(crate) fn new(limit: usize) -> Self {
        Jobs { running: JoinSet::new(), limit: limit.max(1) }
    }

    /// Starts a job, as soon as fewer than the limit run.
    ///
    /// # Errors
    /// That of a job that ended before.
    pub(crate) async fn start(
        &mut self,
        job: impl Future<Output = Result<()>> + Send + 'static,
    ) -> Result<()> {
        while self.running.len() >= self.limit {
            self.one().await?;
        }
        self.running.spawn(job);
        Ok(())
    }

    async fn one(&mut self) -> Result<()> {
        self.running.join_next().await.map_or(Ok(()), outcome)
    }

    /// Waits for all.
    ///
    /// # Errors
    /// That of the first job that failed.
    pub(crate) async fn finish(&mut self) -> Result<()> {
        while !self.running.is_empty() {
            self.one().await?;
        }
        Ok(())
    }
}

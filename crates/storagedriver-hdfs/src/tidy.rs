//! What has to be tidied up after an operation whose future is dropped.

use std::future::Future;
use std::sync::Arc;

use hdfs_native::HdfsError;
use storagedriver::StoragePath;
use tokio::sync::oneshot;

use crate::cluster::Hadoop;

/// Directories that an operation may leave empty: they are removed when this is dropped.
pub(crate) struct Tidy {
    hadoop: Arc<Hadoop>,
    /// Above these.
    above: Vec<StoragePath>,
    /// Those that mirror this path in the staging place.
    staging: Option<StoragePath>,
    armed: bool,
}

impl Tidy {
    pub(crate) fn above(hadoop: &Arc<Hadoop>, paths: &[&StoragePath]) -> Self {
        let above = paths.iter().map(|&path| path.clone()).collect();
        Tidy { hadoop: hadoop.clone(), above, staging: None, armed: true }
    }

    pub(crate) fn and_staging(mut self, path: &StoragePath) -> Self {
        self.staging = Some(path.clone());
        self
    }

    /// Does it now.
    pub(crate) async fn now(mut self) {
        sweep(&self.hadoop, &self.above, self.staging.as_ref()).await;
        self.armed = false;
    }

    /// There is nothing to do.
    pub(crate) fn not(mut self) {
        self.armed = false;
    }

    /// Sends a request in a task of its own, so that it is over before somebody tidies up: if this
    /// future is dropped, that task does it.
    pub(crate) async fn send<T, F>(&self, request: F) -> Result<T, HdfsError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, HdfsError>> + Send + 'static,
    {
        let after = Tidy {
            hadoop: self.hadoop.clone(),
            above: self.above.clone(),
            staging: self.staging.clone(),
            armed: true,
        };
        let (told, answer) = oneshot::channel();
        drop(tokio::spawn(async move {
            if told.send(request.await).is_ok() {
                after.not();
            }
        }));
        let stopped = || HdfsError::OperationFailed("the runtime of the driver has ended".to_owned());
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }
}

async fn sweep(hadoop: &Hadoop, above: &[StoragePath], staging: Option<&StoragePath>) {
    if let Some(path) = staging {
        hadoop.prune_staging(path).await;
    }
    for path in above {
        hadoop.prune(path).await;
    }
}

impl Drop for Tidy {
    fn drop(&mut self) {
        let (true, Ok(runtime)) = (self.armed, tokio::runtime::Handle::try_current()) else {
            return;
        };
        let (hadoop, above, staging) =
            (self.hadoop.clone(), std::mem::take(&mut self.above), self.staging.take());
        drop(runtime.spawn(async move { sweep(&hadoop, &above, staging.as_ref()).await }));
    }
}

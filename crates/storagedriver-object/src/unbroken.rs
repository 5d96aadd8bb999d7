//! Steps of a backend that no dropped future may come between.

use storagedriver::ErrorKind;

use crate::{StoreError, StoreResult};

/// Takes steps that belong together to their end, also where the future that asked for them is dropped: a
/// store with real directories that has moved an object has yet to remove the directory that is empty now.
/// Without a tokio runtime they are taken where they are asked for. A backend that writes objects so says it in
/// [`Description::detached`](crate::Description::detached).
///
/// # Errors
/// Those of the steps; `Unavailable` if the runtime was shut down meanwhile, and nobody knows how far they came.
///
/// # Panics
/// Where a step does.
pub async fn unbroken<T: Send + 'static>(
    steps: impl Future<Output = StoreResult<T>> + Send + 'static,
) -> StoreResult<T> {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        return steps.await;
    };
    match runtime.spawn(steps).await {
        Ok(outcome) => outcome,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => {
                let reason = "the runtime was shut down in the middle of it; what was done is not known";
                Err(StoreError::failed(ErrorKind::Unavailable, reason))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn what_is_dropped_comes_to_its_end() {
        let (begin, done) = (Arc::new(tokio::sync::Notify::new()), Arc::new(AtomicBool::new(false)));
        let (wanted, set) = (begin.clone(), done.clone());
        let mut steps = Box::pin(unbroken(async move {
            wanted.notified().await;
            set.store(true, Ordering::Relaxed);
            Ok(())
        }));
        assert!((&mut steps).now_or_never().is_none());
        drop(steps);
        begin.notify_one();
        while !done.load(Ordering::Relaxed) {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn an_error_is_told() {
        let failed = unbroken(async { Err::<(), _>(StoreError::NotFound) }).await;
        assert!(matches!(failed, Err(StoreError::NotFound)));
    }

    #[test]
    fn without_a_runtime_the_steps_are_taken() {
        let done = unbroken(async { Ok(7) }).now_or_never();
        assert!(matches!(done, Some(Ok(7))));
    }
}

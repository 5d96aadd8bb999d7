//! Spans, metrics and the stamping of errors: once, for every driver.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use metrics::{Key, Label, Level, Metadata, SharedString, with_recorder};
use tracing::Instrument;

use crate::{Error, ErrorKind, Operation, Result, StoragePath};

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

/// Histogram, seconds, labels `driver` and `action`: Distribution's own name and action words.
pub const ACTION_SECONDS: &str = "registry_storage_action_seconds";
/// Counter, labels `driver`, `action` and `kind`.
pub const ERRORS_TOTAL: &str = "registry_storage_errors_total";
/// Counter of bytes read from storage, label `driver`.
pub const READ_BYTES_TOTAL: &str = "registry_storage_read_bytes_total";
/// Counter of bytes given to storage, label `driver`.
pub const WRITTEN_BYTES_TOTAL: &str = "registry_storage_written_bytes_total";
/// Gauge of writers that are open in this process, label `driver`.
pub const OPEN_UPLOADS: &str = "registry_storage_open_uploads";
/// Counter of requests that a driver sent again, label `driver`.
pub const RETRIES_TOTAL: &str = "registry_storage_retries_total";
/// Counter of seconds spent waiting because a backend throttled, label `driver`.
pub const THROTTLED_SECONDS_TOTAL: &str = "registry_storage_throttled_seconds_total";
/// Gauge of bytes that a driver buffers for its writers, label `driver`.
pub const BUFFERED_BYTES: &str = "registry_storage_buffered_bytes";

/// What the metrics of this crate are, for a recorder that wants descriptions.
pub fn describe_metrics() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_histogram!(ACTION_SECONDS, Unit::Seconds, "Duration of storage operations");
    describe_counter!(ERRORS_TOTAL, Unit::Count, "Storage operations that failed, by kind of error");
    describe_counter!(READ_BYTES_TOTAL, Unit::Bytes, "Bytes read from storage");
    describe_counter!(WRITTEN_BYTES_TOTAL, Unit::Bytes, "Bytes given to storage");
    describe_gauge!(OPEN_UPLOADS, Unit::Count, "Writers that are open in this process");
    describe_counter!(RETRIES_TOTAL, Unit::Count, "Requests that a driver sent again");
    describe_counter!(
        THROTTLED_SECONDS_TOTAL,
        Unit::Seconds,
        "Time spent waiting because a backend throttled"
    );
    describe_gauge!(BUFFERED_BYTES, Unit::Bytes, "Bytes that a driver buffers for its writers");
}

/// Records what one driver does. Cheap to clone; keys are built once.
#[derive(Clone)]
pub(crate) struct Observer(Arc<Inner>);

struct Inner {
    driver: Arc<str>,
    seconds: Vec<Key>,
    /// Absence is an answer more often than a failure, and should cost as little.
    absent: Vec<Key>,
    read: Key,
    written: Key,
    open: Key,
}

impl Observer {
    pub(crate) fn new(driver: &str) -> Self {
        let driver: Arc<str> = Arc::from(driver);
        let label = || Label::new("driver", SharedString::from(driver.clone()));
        let seconds = Operation::ALL
            .iter()
            .map(|operation| {
                Key::from_parts(
                    ACTION_SECONDS,
                    vec![label(), Label::from_static_parts("action", operation.action())],
                )
            })
            .collect();
        let absent = Operation::ALL
            .iter()
            .map(|operation| error_key(&driver, *operation, ErrorKind::PathNotFound))
            .collect();
        Observer(Arc::new(Inner {
            seconds,
            absent,
            read: Key::from_parts(READ_BYTES_TOTAL, vec![label()]),
            written: Key::from_parts(WRITTEN_BYTES_TOTAL, vec![label()]),
            open: Key::from_parts(OPEN_UPLOADS, vec![label()]),
            driver,
        }))
    }

    pub(crate) fn driver(&self) -> &Arc<str> {
        &self.0.driver
    }

    /// Runs one operation inside its span, measures it, and stamps and counts its error.
    pub(crate) async fn run<T>(
        &self,
        operation: Operation,
        path: &StoragePath,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let span = tracing::debug_span!("storage", driver = %self.0.driver, operation = operation.as_str(), path = %path);
        let started = Instant::now();
        let outcome = work.instrument(span).await;
        if let Some(key) = self.0.seconds.get(operation as usize) {
            let elapsed = started.elapsed();
            with_recorder(|recorder| {
                recorder.register_histogram(key, &METADATA).record(elapsed.as_secs_f64())
            });
        }
        outcome.map_err(|error| self.failed(error, operation, path))
    }

    /// Stamps and counts an error.
    pub(crate) fn failed(&self, error: Error, operation: Operation, path: &StoragePath) -> Error {
        let count = |key: &Key| {
            with_recorder(|recorder| recorder.register_counter(key, &METADATA).increment(1));
        };
        match self.0.absent.get(operation as usize) {
            Some(key) if error.is_not_found() => count(key),
            _ => count(&error_key(&self.0.driver, operation, error.kind())),
        }
        error.stamped(&self.0.driver, operation, Some(path))
    }

    pub(crate) fn read(&self, bytes: usize) {
        with_recorder(|recorder| recorder.register_counter(&self.0.read, &METADATA).increment(bytes as u64));
    }

    pub(crate) fn written(&self, bytes: usize) {
        with_recorder(|recorder| {
            recorder.register_counter(&self.0.written, &METADATA).increment(bytes as u64)
        });
    }

    /// Counts a writer as open until the guard is dropped.
    pub(crate) fn open_upload(&self) -> OpenUpload {
        with_recorder(|recorder| recorder.register_gauge(&self.0.open, &METADATA).increment(1.0));
        OpenUpload(self.clone())
    }
}

fn error_key(driver: &Arc<str>, operation: Operation, kind: ErrorKind) -> Key {
    let labels = vec![
        Label::new("driver", SharedString::from(driver.clone())),
        Label::from_static_parts("action", operation.action()),
        Label::from_static_parts("kind", kind.as_str()),
    ];
    Key::from_parts(ERRORS_TOTAL, labels)
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observer").field(&self.0.driver).finish()
    }
}

pub(crate) struct OpenUpload(Observer);

impl Drop for OpenUpload {
    fn drop(&mut self) {
        with_recorder(|recorder| recorder.register_gauge(&self.0.0.open, &METADATA).decrement(1.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_finds_its_own_key() {
        let observer = Observer::new("inmemory");
        for (place, operation) in Operation::ALL.iter().enumerate() {
            assert_eq!(place, *operation as usize);
        }
        assert_eq!(observer.0.seconds.len(), Operation::ALL.len());
        assert_eq!(observer.0.absent.len(), Operation::ALL.len());
    }
}

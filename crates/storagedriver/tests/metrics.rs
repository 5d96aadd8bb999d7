//! What the handle records, under the names that Distribution uses.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::collections::BTreeMap;

use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use storagedriver::observe::{
    ACTION_SECONDS, ERRORS_TOTAL, OPEN_UPLOADS, READ_BYTES_TOTAL, WRITTEN_BYTES_TOTAL,
};
use storagedriver::{ReadOptions, Storage, WriteMode};
use storagedriver_inmemory::InMemory;

/// Metric name and labels, as `name{key=value,…}`.
fn recorded(work: impl Future<Output = ()>) -> BTreeMap<String, DebugValue> {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    metrics::with_local_recorder(&recorder, || runtime.block_on(work));
    let metrics = snapshotter.snapshot().into_vec().into_iter();
    metrics
        .map(|(key, _, _, value)| {
            let labels: Vec<_> =
                key.key().labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
            (format!("{}{{{}}}", key.key().name(), labels.join(",")), value)
        })
        .collect()
}

#[test]
fn actions_errors_bytes_and_open_uploads() {
    let metrics = recorded(async {
        let storage = Storage::new(InMemory::new());
        storage.put_content("/a", "12345").await.unwrap();
        storage.get_content("/a").await.unwrap();
        storage.reader("/a", ReadOptions::from_offset(2)).await.unwrap().bytes().await.unwrap();
        storage.rename("/a", "/b").await.unwrap();
        storage.get_content("/a").await.unwrap_err();
        let mut writer = storage.writer("/c", WriteMode::Create).await.unwrap();
        writer.write("123").await.unwrap();
        std::mem::forget(writer);
    });
    let count = |action: &str| match &metrics[&format!("{ACTION_SECONDS}{{driver=inmemory,action={action}}}")]
    {
        DebugValue::Histogram(values) => values.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(count("PutContent"), 1);
    assert_eq!(count("GetContent"), 2);
    assert_eq!(count("Move"), 1);
    assert_eq!(
        metrics[&format!("{ERRORS_TOTAL}{{driver=inmemory,action=GetContent,kind=path_not_found}}")],
        DebugValue::Counter(1)
    );
    assert_eq!(metrics[&format!("{READ_BYTES_TOTAL}{{driver=inmemory}}")], DebugValue::Counter(8));
    assert_eq!(metrics[&format!("{WRITTEN_BYTES_TOTAL}{{driver=inmemory}}")], DebugValue::Counter(8));
    assert_eq!(metrics[&format!("{OPEN_UPLOADS}{{driver=inmemory}}")], DebugValue::Gauge(1.0.into()));
}

#[test]
fn an_upload_that_ended_or_was_dropped_is_no_longer_open() {
    let metrics = recorded(async {
        let storage = Storage::new(InMemory::new());
        storage.writer("/a", WriteMode::Create).await.unwrap().commit().await.unwrap();
        storage.writer("/b", WriteMode::Create).await.unwrap().close().await.unwrap();
        drop(storage.writer("/c", WriteMode::Create).await.unwrap());
    });
    assert_eq!(metrics[&format!("{OPEN_UPLOADS}{{driver=inmemory}}")], DebugValue::Gauge(0.0.into()));
}

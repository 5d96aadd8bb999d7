//! Many slow writers, and the gauge of what they hold.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metrics::{Counter, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use storagedriver::observe::BUFFERED_BYTES;
use storagedriver::{Storage, WriteMode};
use storagedriver_object::testing::{Fault, MemoryStore};
use storagedriver_object::{Budget, Description, ObjectDriver, ObjectOptions};

fn small() -> Description {
    let mut description = Description::FULL;
    description.min_part = 1000;
    description
}

#[tokio::test(start_paused = true)]
async fn two_hundred_that_send_a_byte_a_second_wait_for_nobody() {
    let store = MemoryStore::new(small());
    let mut options = ObjectOptions::default();
    options.part_size = 1000;
    // Nothing is left for anyone.
    options.budget = Budget::new(0);
    let storage = Storage::new(ObjectDriver::new(store.client(), options));
    let began = tokio::time::Instant::now();
    let writers: Vec<_> = (0..200)
        .map(|number| {
            let storage = storage.clone();
            tokio::spawn(async move {
                let path = format!("/{number}");
                let mut writer = storage.writer(&path, WriteMode::Create).await.unwrap();
                for second in 0..1100 {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    writer.write(vec![number]).await.unwrap();
                    assert_eq!(writer.size(), second + 1);
                }
                writer.commit().await.unwrap();
                assert_eq!(storage.get_content(&path).await.unwrap(), vec![number; 1100]);
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    // Each second is one that a byte took; paused time counts in milliseconds.
    let took = began.elapsed();
    assert!(took < Duration::from_secs(1110), "{took:?}");
}

/// Remembers the gauge of one name.
#[derive(Debug, Default)]
struct Remembering(Arc<Sum>);

#[derive(Debug, Default)]
struct Sum {
    now: Mutex<f64>,
    most: AtomicU64,
}

impl GaugeFn for Sum {
    fn increment(&self, by: f64) {
        let mut now = self.now.lock().unwrap();
        *now += by;
        self.most.fetch_max(*now as u64, Ordering::Relaxed);
    }

    fn decrement(&self, by: f64) {
        self.increment(-by);
    }

    fn set(&self, to: f64) {
        *self.now.lock().unwrap() = to;
    }
}

impl Recorder for Remembering {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let labels: Vec<_> = key.labels().map(|label| (label.key(), label.value())).collect();
        if key.name() == BUFFERED_BYTES && labels == [("driver", "memory-object")] {
            return Gauge::from_arc(self.0.clone());
        }
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[tokio::test]
async fn the_gauge_counts_what_writers_hold_and_comes_back_to_nothing() {
    let recorder = Remembering::default();
    let sum = recorder.0.clone();
    let _local = metrics::set_default_local_recorder(&recorder);
    let now = || *sum.now.lock().unwrap();
    let store = MemoryStore::new(small());
    let backend = store.client();
    let control = backend.control();
    let mut options = ObjectOptions::default();
    options.part_size = 1000;
    let storage = Storage::new(ObjectDriver::new(backend, options));

    let mut writer = storage.writer("/a", WriteMode::Create).await.unwrap();
    writer.write(vec![1; 600]).await.unwrap();
    assert_eq!(now(), 600.0);
    writer.write(vec![1; 600]).await.unwrap();
    assert_eq!(now(), 1200.0);
    writer.commit().await.unwrap();
    assert_eq!(now(), 0.0, "after a commit");

    let mut writer = storage.writer("/a", WriteMode::Create).await.unwrap();
    for _ in 0..20 {
        writer.write(vec![1; 500]).await.unwrap();
    }
    drop(writer);
    assert_eq!(now(), 0.0, "after a drop, with parts on their way");

    // Parts that the store refuses are held, and no more is taken meanwhile.
    let mut writer = storage.writer("/b", WriteMode::Create).await.unwrap();
    control.take_log();
    for request in 3..200 {
        control.fail(request, Fault::Before);
    }
    let mut refused = 0;
    for _ in 0..100 {
        refused += usize::from(writer.write(vec![1; 500]).await.is_err());
    }
    assert!(refused > 80, "{refused} writes refused");
    assert!(now() < 8000.0, "{} bytes held", now());
    control.clear();
    writer.cancel().await.unwrap();
    assert_eq!(now(), 0.0, "after a cancel");
    assert!(sum.most.load(Ordering::Relaxed) >= 1200);
}

//! Counters, gauges and histograms, and the text format of Prometheus for them.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};

/// The upper ends of the buckets of a histogram, in seconds: those that Prometheus' own libraries,
/// and so Distribution, have.
const ENDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Everything that was measured.
#[derive(Debug, Default)]
pub(super) struct Series {
    descriptions: Mutex<BTreeMap<String, SharedString>>,
    counters: Mutex<BTreeMap<Key, Arc<AtomicU64>>>,
    /// Bits of a floating-point number, as the crate `metrics` has it.
    gauges: Mutex<BTreeMap<Key, Arc<AtomicU64>>>,
    histograms: Mutex<BTreeMap<Key, Arc<Buckets>>>,
}

/// How many values are at most as large as each end, and larger than the end before it.
#[derive(Debug, Default)]
struct Buckets {
    counts: [AtomicU64; ENDS.len()],
    /// Larger than the last end.
    beyond: AtomicU64,
    /// Bits of a floating-point number.
    sum: AtomicU64,
}

impl HistogramFn for Buckets {
    fn record(&self, value: f64) {
        let bucket = ENDS.iter().zip(&self.counts).find(|(end, _)| value <= **end);
        bucket.map_or(&self.beyond, |(_, count)| count).fetch_add(1, Ordering::Relaxed);
        let add = |bits| Some((f64::from_bits(bits) + value).to_bits());
        let _ = self.sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }
}

/// Nothing that could panic runs under these locks.
fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

fn registered<T: Default>(all: &Mutex<BTreeMap<Key, Arc<T>>>, key: &Key) -> Arc<T> {
    let mut all = locked(all);
    if let Some(known) = all.get(key) {
        return known.clone();
    }
    all.entry(key.clone()).or_default().clone()
}

impl Recorder for Series {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, description: SharedString) {
        locked(&self.descriptions).insert(name.as_str().to_owned(), description);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe_counter(name, unit, description);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe_counter(name, unit, description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(registered(&self.counters, key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(registered(&self.gauges, key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(registered(&self.histograms, key))
    }
}

impl Series {
    /// All of it as text.
    pub(super) fn render(&self) -> String {
        let mut page = Page { text: String::new(), name: String::new(), series: self };
        for (key, value) in locked(&self.counters).iter() {
            page.head(key, "counter");
            page.value(key, "", None, value.load(Ordering::Relaxed));
        }
        for (key, value) in locked(&self.gauges).iter() {
            page.head(key, "gauge");
            page.value(key, "", None, f64::from_bits(value.load(Ordering::Relaxed)));
        }
        for (key, buckets) in locked(&self.histograms).iter() {
            page.head(key, "histogram");
            let mut count = 0;
            for (end, here) in ENDS.iter().zip(&buckets.counts) {
                count += here.load(Ordering::Relaxed);
                page.value(key, "_bucket", Some(&end.to_string()), count);
            }
            count += buckets.beyond.load(Ordering::Relaxed);
            page.value(key, "_bucket", Some("+Inf"), count);
            page.value(key, "_sum", None, f64::from_bits(buckets.sum.load(Ordering::Relaxed)));
            page.value(key, "_count", None, count);
        }
        page.text
    }
}

/// Text that is being written; writing to it does not fail.
struct Page<'a> {
    text: String,
    /// The metric that the last head was for.
    name: String,
    series: &'a Series,
}

impl Page<'_> {
    /// What stands once before all values of a metric. Keys come by name, so they stand together.
    fn head(&mut self, key: &Key, kind: &str) {
        if self.name == key.name() {
            return;
        }
        self.name = key.name().to_owned();
        let name = &self.name;
        if let Some(description) = locked(&self.series.descriptions).get(name) {
            let _ = writeln!(self.text, "# HELP {name} {description}");
        }
        let _ = writeln!(self.text, "# TYPE {name} {kind}");
    }

    fn value(&mut self, key: &Key, suffix: &str, end: Option<&str>, value: impl fmt::Display) {
        let labels = key.labels().map(|label| (label.key(), label.value()));
        let labels: Vec<String> = labels
            .chain(end.map(|end| ("le", end)))
            .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
            .collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.text, "{}{suffix}{labels} {value}", key.name());
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use metrics::{Label, Level};

    const METADATA: Metadata<'static> = Metadata::new("test", Level::INFO, None);

    #[test]
    fn every_kind_is_rendered_with_its_labels() {
        let series = Series::default();
        series.describe_counter("reads".into(), None, "What was read".into());
        for (driver, more) in [("a\"b", 2), ("c", 3), ("c", 4)] {
            let key = Key::from_parts("reads", vec![Label::new("driver", driver)]);
            series.register_counter(&key, &METADATA).increment(more);
        }
        series.register_gauge(&"open".into(), &METADATA).increment(1.5);
        let text = "# HELP reads What was read\n# TYPE reads counter\nreads{driver=\"a\\\"b\"} 2\n\
                    reads{driver=\"c\"} 7\n# TYPE open gauge\nopen 1.5\n";
        assert_eq!(series.render(), text);
    }

    #[test]
    fn the_buckets_of_a_histogram_hold_all_below_them() {
        let series = Series::default();
        let histogram = series.register_histogram(&"seconds".into(), &METADATA);
        for value in [0.25, 0.005, 0.3, 11.0] {
            histogram.record(value);
        }
        let text = series.render();
        for line in [
            "seconds_bucket{le=\"0.005\"} 1",
            "seconds_bucket{le=\"0.1\"} 1",
            "seconds_bucket{le=\"0.25\"} 2",
            "seconds_bucket{le=\"0.5\"} 3",
            "seconds_bucket{le=\"10\"} 3",
            "seconds_bucket{le=\"+Inf\"} 4",
            "seconds_sum 11.555",
            "seconds_count 4",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
    }
}

//! The suite can fail out of process too: every mutant is caught by the cases named for it when it lives in
//! an executable.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use storagedriver::{Guarantee, Parameters};
use storagedriver_testsuites::mutants::{MUTANTS, Mutant};
use storagedriver_testsuites::{Case, Harness, OutOfProcess, Outcome, Scale, check};

use crate::kept::kept;

/// Faults of a driver that its host makes good, so that nobody who uses it can see them.
const MADE_GOOD: &[(&str, &str)] = &[
    ("past_the_end_is_empty", "the host compares the offset with the size that the driver tells"),
    ("torn_write", "the host holds a chunk until the driver has taken it whole"),
    ("skip_ignored", "the host drops what lies below a directory that is skipped"),
    ("skip_ignored_after_start", "the same"),
    ("skip_after_file_skips_parent", "no skip after a file leaves the host"),
    ("skip_before_first", "no skip before the first entry leaves the host"),
    ("dropped_walk_spoils_the_next", "the driver has read a short walk to its end, whatever the host drops"),
    ("no_limits", "the protocol has no number so large"),
    ("unusable_name", "the name is that of the registration, and the host refuses one that is none"),
    ("says_that_nothing_is_shared", "a harness that starts processes opens no second one then"),
];

/// What is said instead where the host checks what the driver sends, or reads ahead.
const SAID_INSTEAD: &[(&str, &str)] = &[
    ("stat_without_time", "it sent a file without its size or time"),
    ("walk_without_sizes", "it sent a file without its size or time"),
    ("length_ignored", "the driver sent more bytes than it said the content has"),
    ("offset_is_one_off", "the driver sent more bytes than it said the content has"),
    ("stream_loses_last_byte", "the driver sent 1 bytes fewer than it said the content has"),
    ("reader_splices", "on the reader gives another version"),
    ("readers_share_a_position", "a reader among several"),
    ("size_without_buffer", "the driver has 0 bytes of the upload, and accepted 1"),
    ("reopened_close_grows", "the upload has 70001 bytes, and the driver ended it with 70002"),
    // The name of the driver is another.
    ("conflict_is_backend_failure", "wanted conflict, the error is: mutant: close /file: the up"),
    ("rename_moves_directory", "wanted path_not_found, the error is: mutant: rename /kept/"),
    ("absence_may_be_retried", "stat of nothing: mutant: stat /absent: unavailable: no suc"),
];

/// How often a case is tried on a mutant before it counts as not caught.
const ATTEMPTS: usize = 60;

/// So many at a time; a process of its own each.
const AT_ONCE: usize = 4;

/// The harness of a mutant: over the driver in memory, which is quick; where a case needs what several processes share,
/// over the filesystem driver.
fn harness(mutant: &'static Mutant, case: &'static Case) -> Arc<dyn Harness> {
    let shared = case.needs.contains(&Guarantee::Shared);
    let parameters = move |directory: &Path| {
        let mut parameters = Parameters::from_iter([("mutant", mutant.name)]);
        if shared {
            parameters.insert("rootdirectory", directory.display().to_string());
        }
        parameters
    };
    // Small: what a mutant breaks shows at once.
    let mut scale = Scale::default()
        .with_settle(Duration::from_millis(20))
        .with_underway(Duration::from_millis(4))
        .with_timeout(Duration::from_secs(20));
    scale.children = 230;
    scale.concurrency = 8;
    scale.rounds = 20;
    scale.large = 3 << 20;
    scale.boundaries = vec![4 << 10, 64 << 10];
    Arc::new(OutOfProcess::new(kept("mutant"), parameters).with_scale(scale))
}

fn listed(list: &[(&str, &'static str)], mutant: &Mutant) -> Option<&'static str> {
    list.iter().find(|(name, _)| *name == mutant.name).map(|(_, what)| *what)
}

type Pair = (&'static Mutant, &'static Case, &'static str);

/// Those of the pairs that fail to fail, and what they said instead.
async fn uncaught(pairs: Vec<Pair>) -> Vec<(Pair, Outcome)> {
    let run = |pair: Pair| async move { (pair, check(pair.1, harness(pair.0, pair.1)).await) };
    let outcomes = stream::iter(pairs).map(run).buffered(AT_ONCE);
    let caught = |(pair, outcome): &(Pair, Outcome)| matches!(outcome, Outcome::Fail(reason) if reason.contains(pair.2));
    outcomes.filter(|ended| std::future::ready(!caught(ended))).collect().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_mutant_is_caught_for_its_fault() {
    let names: BTreeSet<&str> = MUTANTS.iter().map(|mutant| mutant.name).collect();
    for (name, _) in MADE_GOOD.iter().chain(SAID_INSTEAD) {
        assert!(names.contains(name), "there is no mutant {name}");
    }
    let mut pairs: Vec<Pair> = Vec::new();
    for mutant in MUTANTS.iter().filter(|mutant| listed(MADE_GOOD, mutant).is_none()) {
        // The first is the one for its sentence.
        let (name, says) = mutant.caught_by[0];
        pairs.push((mutant, Case::find(name).unwrap(), listed(SAID_INSTEAD, mutant).unwrap_or(says)));
    }
    let (started, count) = (Instant::now(), pairs.len());
    // What only shows when tasks meet is given several chances.
    let mut wrong = Vec::new();
    for attempt in 1..=ATTEMPTS {
        if pairs.is_empty() {
            break;
        }
        wrong = uncaught(pairs).await;
        println!(
            "attempt {attempt}: {} of {count} left, {:.1} s",
            wrong.len(),
            started.elapsed().as_secs_f64()
        );
        pairs = wrong.iter().map(|(pair, _)| *pair).collect();
    }
    // None of them is excused that needs no excuse.
    for mutant in MUTANTS.iter().filter(|mutant| listed(MADE_GOOD, mutant).is_some()) {
        let (name, says) = mutant.caught_by[0];
        let pair = (mutant, Case::find(name).unwrap(), says);
        assert_eq!(uncaught(vec![pair]).await.len(), 1, "{} can be seen after all", mutant.name);
    }
    let wrong: Vec<String> = wrong
        .iter()
        .map(|((mutant, case, says), outcome)| {
            format!("{}: {} should say {says:?}: {outcome:?}", mutant.name, case.name)
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

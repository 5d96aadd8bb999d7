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

use crate::drivers::kept;

/// Mutants whose fault cannot cross: why.
const KEPT_OUT: &[(&str, &str)] = &[];

/// How often a case is tried on a mutant before it counts as not caught.
const ATTEMPTS: usize = 10;

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
    let mut scale =
        Scale::default().with_settle(Duration::from_millis(20)).with_timeout(Duration::from_secs(20));
    scale.children = 230;
    scale.concurrency = 8;
    scale.rounds = 20;
    scale.large = 3 << 20;
    scale.boundaries = vec![4 << 10, 64 << 10];
    Arc::new(OutOfProcess::new(kept("mutant"), parameters).with_scale(scale))
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
    for (name, _) in KEPT_OUT {
        assert!(names.contains(name), "there is no mutant {name}");
    }
    let whole = std::env::var_os("STORAGEDRIVER_FULL").is_some();
    let mut pairs: Vec<Pair> = Vec::new();
    for mutant in MUTANTS.iter().filter(|mutant| KEPT_OUT.iter().all(|(name, _)| *name != mutant.name)) {
        // The first is the one for its sentence.
        let cases = mutant.caught_by.len().min(if whole { usize::MAX } else { 1 });
        for (name, says) in &mutant.caught_by[..cases] {
            pairs.push((mutant, Case::find(name).unwrap(), says));
        }
    }
    let (started, count) = (Instant::now(), pairs.len());
    // What only shows when tasks meet is given several chances.
    let mut wrong = Vec::new();
    for attempt in 1..=ATTEMPTS {
        wrong = uncaught(pairs).await;
        println!(
            "attempt {attempt}: {} of {count} left, {:.1} s",
            wrong.len(),
            started.elapsed().as_secs_f64()
        );
        pairs = wrong.iter().map(|(pair, _)| *pair).collect();
    }
    let wrong: Vec<String> = wrong
        .iter()
        .map(|((mutant, case, says), outcome)| {
            format!("{}: {} should say {says:?}: {outcome:?}", mutant.name, case.name)
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

//! The suite can fail: every mutant is caught by the cases named for it, and no case is without a
//! mutant that it catches.

#![allow(clippy::unwrap_used)] // the functions that tests share, too

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use storagedriver::{Guarantees, Layer, Storage, StorageDriver};
use storagedriver_inmemory::InMemory;
use storagedriver_testsuites::mutants::{MUTANTS, Mutant};
use storagedriver_testsuites::{BoxError, CASES, Case, Harness, Outcome, Scale, Store, async_trait, check};

/// The in-memory driver, whose handles stand for processes: so the cases that need several of them,
/// and what survives a process, run too.
#[derive(Debug)]
struct Everlasting(Arc<dyn StorageDriver>);

#[async_trait]
impl Layer for Everlasting {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.0
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees::FULL
    }
}

/// Opens stores that are wrapped in a mutant, or in nothing.
#[derive(Clone, Copy)]
struct Wrapped(Option<&'static Mutant>);

impl Wrapped {
    fn handle(self, store: &InMemory) -> Storage {
        let driver: Arc<dyn StorageDriver> = Arc::new(Everlasting(Arc::new(store.clone())));
        Storage::from_arc(match self.0 {
            Some(mutant) => (mutant.wrap)(driver),
            None => driver,
        })
    }
}

#[async_trait]
impl Harness for Wrapped {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        let store = InMemory::new();
        Ok(Box::new(Opened { storage: self.handle(&store), store, wrapped: *self }))
    }

    /// Small: what a mutant breaks shows at once.
    fn scale(&self) -> Scale {
        let mut scale = Scale::default();
        scale.children = 230;
        scale.concurrency = 8;
        scale.rounds = 20;
        scale.large = 3 << 20;
        scale.boundaries = vec![4 << 10, 64 << 10];
        scale.with_timeout(Duration::from_secs(10))
    }
}

struct Opened {
    storage: Storage,
    store: InMemory,
    wrapped: Wrapped,
}

#[async_trait]
impl Store for Opened {
    fn storage(&self) -> Storage {
        self.storage.clone()
    }

    async fn another(&self) -> Result<Option<Storage>, BoxError> {
        Ok(Some(self.wrapped.handle(&self.store)))
    }
}

/// How often a case is tried on a mutant before it counts as not caught.
const ATTEMPTS: usize = 10;

type Run = (Option<&'static Mutant>, &'static Case);

/// Runs many cases, a few at a time.
async fn outcomes(runs: Vec<Run>) -> Vec<(Run, Outcome)> {
    let run =
        |(mutant, case): Run| async move { ((mutant, case), check(case, Arc::new(Wrapped(mutant))).await) };
    stream::iter(runs).map(run).buffered(4).collect().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_case_passes_without_a_mutant() {
    let runs = CASES.iter().map(|case| (None, case)).collect();
    for ((_, case), outcome) in outcomes(runs).await {
        assert_eq!(outcome, Outcome::Pass, "{}", case.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_mutant_is_caught_for_its_fault() {
    let mut runs = Vec::new();
    let mut reasons = BTreeMap::new();
    for mutant in MUTANTS {
        assert!(!mutant.caught_by.is_empty(), "{} is caught by no case", mutant.name);
        for (name, says) in mutant.caught_by {
            let case = Case::find(name).unwrap_or_else(|| panic!("{}: no case {name}", mutant.name));
            runs.push((Some(mutant), case));
            reasons.insert((mutant.name, case.name), *says);
        }
    }
    // What only shows when tasks meet is given several chances.
    let mut wrong = Vec::new();
    for _ in 0..ATTEMPTS {
        wrong.clear();
        for ((mutant, case), outcome) in outcomes(std::mem::take(&mut runs)).await {
            let name = mutant.unwrap().name;
            let says = reasons[&(name, case.name)];
            if !matches!(&outcome, Outcome::Fail(reason) if reason.contains(says)) {
                wrong.push(format!("{name}: {} should say {says:?}: {outcome:?}", case.name));
                runs.push((mutant, case));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_case_is_without_a_mutant() {
    let caught: BTreeSet<&str> =
        MUTANTS.iter().flat_map(|mutant| mutant.caught_by).map(|(case, _)| *case).collect();
    let without: Vec<&str> =
        CASES.iter().map(|case| case.name).filter(|name| !caught.contains(name)).collect();
    assert!(without.is_empty(), "cases without a mutant that they catch: {without:?}");
    let names: BTreeSet<&str> = MUTANTS.iter().map(|mutant| mutant.name).collect();
    assert_eq!(names.len(), MUTANTS.len(), "two mutants have one name");
}

//! The state machine on the in-memory driver, and on drivers that are wrong.
#![allow(clippy::unwrap_used)] // the functions that tests share, too

mod flat;

use std::sync::Arc;

use storagedriver::{Layer, Result, Storage, StorageDriver, StoragePath};
use storagedriver_inmemory::InMemory;
use storagedriver_testsuites::model::{StateMachineFailure, replay, run_state_machine_with_seed};
use storagedriver_testsuites::mutants::{MUTANTS, Mutant};
use storagedriver_testsuites::{
    BoxError, Harness, Store, async_trait, register_histories, register_state_machine,
};

struct Fresh;

#[async_trait]
impl Harness for Fresh {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        Ok(Box::new(Opened(Storage::new(InMemory::new()))))
    }
}

struct Opened(Storage);

#[async_trait]
impl Store for Opened {
    fn storage(&self) -> Storage {
        self.0.clone()
    }

    async fn another(&self) -> Result<Option<Storage>, BoxError> {
        Ok(Some(Storage::from_arc(self.0.driver().clone())))
    }
}

register_state_machine!(Fresh, programs = 500, steps = 40);

/// A driver with one fault, to see that it is found and what is said about it.
#[derive(Debug)]
struct KeepsTheSource(Arc<dyn StorageDriver>);

#[async_trait]
impl Layer for KeepsTheSource {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.0
    }

    async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
        let content = self.0.get_content(from).await?;
        self.0.put_content(to, content).await
    }
}

struct Faulty;

#[async_trait]
impl Harness for Faulty {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        let driver = KeepsTheSource(Arc::new(InMemory::new()));
        Ok(Box::new(Opened(Storage::new(driver))))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_is_found_and_shrinks_to_a_few_lines() {
    let failure = run_state_machine_with_seed(Arc::new(Faulty), 7, 300, 40).await.unwrap_err();
    let StateMachineFailure::Divergence { seed, divergence } = &failure else { panic!("{failure}") };
    let program = divergence.program.to_string();
    let lines: Vec<&str> = program.lines().collect();
    assert!(lines.len() <= 3, "{failure}");
    assert!(lines.last().is_some_and(|line| line.starts_with("rename(")), "{failure}");

    // From the printed text, and from the seed.
    let replayed = replay(&Faulty, &program).await.unwrap_err();
    let again = run_state_machine_with_seed(Arc::new(Faulty), seed.unwrap(), 1, 40).await.unwrap_err();
    for other in [replayed, again] {
        let StateMachineFailure::Divergence { divergence, .. } = other else { panic!("{other}") };
        assert_eq!(divergence.program.to_string(), program);
    }
    replay(&Fresh, &program).await.unwrap();
}

/// Mutants of many kinds, each of which random programs must find.
const FOUND: &[&str] = &[
    "both_resumers_end",
    "commit_discards_others",
    "append_restarts",
    "append_ignores_replacement",
    "create_keeps_closed",
    "close_publishes",
    "drop_closes",
    "size_without_buffer",
    "stat_sees_uploads",
    "empty_directory_left",
    "reader_splices",
    "put_skips_equal_size",
    "start_after_is_inclusive",
    "skip_ignored",
    "key_order_is_tree_order",
    "delete_takes_longer_names",
    "rename_moves_upload",
];

struct Wrong(&'static Mutant);

#[async_trait]
impl Harness for Wrong {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        Ok(Box::new(Opened(Storage::from_arc((self.0.wrap)(Arc::new(InMemory::new()))))))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn random_programs_find_mutants_of_many_kinds() {
    for name in FOUND {
        let mutant = MUTANTS.iter().find(|mutant| mutant.name == *name).unwrap();
        let failure = run_state_machine_with_seed(Arc::new(Wrong(mutant)), 1, 300, 40).await;
        assert!(matches!(failure, Err(StateMachineFailure::Divergence { .. })), "{name}: {failure:?}");
    }
}

mod flat_store {
    use super::*;

    struct Servers {
        ends_uploads: bool,
    }

    struct Connected(Arc<flat::Server>);

    #[async_trait]
    impl Harness for Servers {
        async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
            Ok(Box::new(Connected(Arc::new(flat::Server::new(self.ends_uploads)))))
        }
    }

    #[async_trait]
    impl Store for Connected {
        fn storage(&self) -> Storage {
            Storage::new(flat::Flat::new(self.0.clone()))
        }

        async fn another(&self) -> Result<Option<Storage>, BoxError> {
            Ok(Some(self.storage()))
        }
    }

    mod independent {
        use super::*;

        register_state_machine!(Servers { ends_uploads: false });
        register_histories!(Servers { ends_uploads: false }, histories = 30);
    }

    mod ending_uploads {
        use super::*;

        register_state_machine!(Servers { ends_uploads: true });
        register_histories!(Servers { ends_uploads: true }, histories = 30);
    }
}

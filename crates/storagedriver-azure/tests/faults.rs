//! Networks and servers that fail: nothing acknowledged is lost, nothing is doubled, nothing half done
//! is seen, and nothing of an upload stays.
#![allow(clippy::unwrap_used, clippy::expect_used)] // A failure here fails the test.

mod stores;

use std::sync::Arc;
use std::time::Duration;

use storagedriver::{ErrorKind, Parameters, Storage, WriteMode};
use storagedriver_azure::AzureParameters;
use storagedriver_testservers::{AzureOptions, AzureServer, CopyOutcome, CopyRule};
use storagedriver_testsuites::Scale;
use storagedriver_testsuites::faults::{CopyEnd, Fault, FaultProxy, Hold, Place, Rule, Schedule, azure};
use storagedriver_testsuites::model::{history, run_state_machine_with_seed};
use stores::Container;

/// How many faults CI has met in the end.
const FAULTS: u64 = 2000;

struct Faulty {
    server: AzureServer,
    proxy: FaultProxy,
}

impl Faulty {
    fn start(schedule: Schedule) -> Self {
        let server = AzureServer::start(AzureOptions { page_size: 50, ..AzureOptions::default() }).unwrap();
        let address = server.authority().trim_start_matches("http://").parse().unwrap();
        let proxy = FaultProxy::start(address, schedule.classified_by(azure::operation)).unwrap();
        Faulty { server, proxy }
    }

    fn parameters(&self) -> Parameters {
        let mut parameters = Parameters::from_iter([
            ("accountname", self.server.account()),
            ("accountkey", self.server.key()),
            ("container", "container"),
            ("chunksize", "1 KiB"),
            ("retry_delay", "1ms"),
            ("stalltimeout", "10s"),
        ]);
        parameters.insert("serviceurl", format!("http://{}/devaccount", self.proxy.address()));
        parameters
    }

    fn storage(&self) -> Storage {
        AzureParameters::parse(self.parameters()).unwrap().into_storage().unwrap()
    }

    fn container(&self) -> Container {
        let mut scale = Scale::network().with_part_size(1 << 10).with_page_size(50);
        scale.timeout = Duration::from_secs(240);
        Container { parameters: self.parameters(), scale }
    }

    fn keys(&self) -> Vec<String> {
        self.server.store().keys("container")
    }
}

/// What can happen to a request that was not carried out, or that is in the end.
fn without_repetition() -> Vec<Fault> {
    let repeats = |fault: &Fault| {
        matches!(
            fault,
            Fault::AppliedThenStatus { .. } | Fault::AppliedThenReset | Fault::ResetResponse { .. }
        )
    };
    Fault::survivable().into_iter().filter(|fault| !repeats(fault)).collect()
}

/// Random programs in which every answer is known beforehand: a fault that a driver can survive may
/// not show in any of them.
#[tokio::test(flavor = "multi_thread")]
async fn faults_that_can_be_survived_do_not_show() {
    let faulty = Arc::new(Faulty::start(Schedule::seeded(11).rate(0.12)));
    let mut round = 0;
    while faulty.proxy.counts().faults() < FAULTS {
        round += 1;
        assert!(round < 20, "{:?}", faulty.proxy.counts());
        let runs = (0..12).map(|run| {
            tokio::spawn(run_state_machine_with_seed(
                Arc::new(faulty.container()),
                round * 1000 + run * 50,
                4,
                30,
            ))
        });
        for run in runs.collect::<Vec<_>>() {
            run.await.unwrap().unwrap();
        }
    }
    println!("{round} rounds, {:#?}", faulty.proxy.counts());
    assert_eq!(faulty.keys(), Vec::<String>::new(), "each store was removed whole");
}

/// A registry's life: each upload in several sittings, moved to where it belongs and read back. No
/// step may fail, and nothing but the contents may stay.
#[tokio::test(flavor = "multi_thread")]
async fn uploads_under_faults_lose_and_leave_nothing() {
    let pending = Fault::PendingCopy { polls: 3, end: CopyEnd::Success };
    let faults = Fault::survivable().into_iter().chain([pending.clone(), pending]);
    let faulty = Arc::new(Faulty::start(Schedule::seeded(13).rate(0.12).faults(faults)));
    let tasks: Vec<_> = (0..12).map(|task| tokio::spawn(life(faulty.clone(), task))).collect();
    let mut paths = Vec::new();
    for task in tasks {
        paths.extend(task.await.unwrap());
    }
    paths.sort();
    let counts = faulty.proxy.counts();
    println!("{} uploads, {counts:#?}", paths.len());
    assert!(counts.of(azure::PUT_BLOCK) > 0 && counts.by_fault.contains_key("PendingCopy"), "{counts:?}");
    let staged: Vec<String> = faulty.keys().into_iter().filter(|key| key.contains('~')).collect();
    assert_eq!(staged, Vec::<String>::new());
    assert_eq!(faulty.keys().iter().map(|key| format!("/{key}")).collect::<Vec<_>>(), paths);
}

/// The paths of the contents that one client made.
async fn life(faulty: Arc<Faulty>, task: usize) -> Vec<String> {
    let storage = faulty.storage();
    let mut paths = Vec::new();
    while faulty.proxy.counts().faults() < 700 {
        let number = paths.len();
        let content: Vec<u8> =
            format!("{task}.{number};").bytes().cycle().take(3000 + 2100 * number).collect();
        let (upload, blob) =
            (format!("/uploads/{task}/{number}/data"), format!("/blobs/{task:02}/{number:04}/data"));
        storage.writer(&upload, WriteMode::Create).await.unwrap().close().await.unwrap();
        let mut sent = 0;
        for piece in content.chunks(content.len().div_ceil(3)) {
            let mut writer = storage.writer(&upload, WriteMode::Append).await.unwrap();
            assert_eq!(writer.size(), sent);
            writer.write(piece.to_vec()).await.unwrap();
            sent = writer.close().await.unwrap();
        }
        storage.writer(&upload, WriteMode::Append).await.unwrap().commit().await.unwrap();
        storage.rename(&upload, &blob).await.unwrap();
        assert_eq!(storage.get_content(&blob).await.unwrap(), content);
        paths.push(blob);
    }
    paths
}

/// Without those after which a request is sent again that was carried out: what such a put replaces
/// meanwhile, it replaces twice.
#[tokio::test(flavor = "multi_thread")]
async fn histories_under_faults_can_be_explained() {
    let faulty = Faulty::start(Schedule::seeded(12).rate(0.1).faults(without_repetition()));
    history::run_histories(Arc::new(faulty.container()), 7, 25).await.unwrap();
    let counts = faulty.proxy.counts();
    println!("{counts:#?}");
    assert!(counts.faults() > 100, "{counts:?}");
}

/// On the way to a path that was free, a failed copy changes nothing.
#[tokio::test]
async fn a_rename_whose_copy_fails_changes_nothing() {
    for outcome in [CopyOutcome::Failed, CopyOutcome::Aborted] {
        let faulty = Faulty::start(Schedule::none());
        let storage = faulty.storage();
        storage.put_content("/from", "content").await.unwrap();
        faulty.server.set_copies(CopyRule { pending_looks: 2, outcome });
        let error = storage.rename("/from", "/to").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert_eq!(storage.get_content("/from").await.unwrap(), "content");
        assert!(storage.stat("/to").await.unwrap_err().is_not_found());
        assert_eq!(faulty.keys(), ["from"]);
        faulty.server.set_copies(CopyRule::default());
        storage.rename("/from", "/to").await.unwrap();
        assert_eq!(storage.get_content("/to").await.unwrap(), "content");
    }
}

/// What was accepted stays resumable, and another commit publishes it.
#[tokio::test]
async fn a_commit_whose_copy_fails_can_be_made_again() {
    let faulty = Faulty::start(Schedule::none());
    let storage = faulty.storage();
    let content: Vec<u8> = (0..200_000_u32).map(|place| (place % 251) as u8).collect();
    faulty.server.set_copies(CopyRule { pending_looks: 3, outcome: CopyOutcome::Failed });
    let mut writer = storage.writer("/a", WriteMode::Create).await.unwrap();
    writer.write(content.clone()).await.unwrap();
    assert_eq!(writer.commit().await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert!(storage.stat("/a").await.unwrap_err().is_not_found());

    faulty.server.set_copies(CopyRule { pending_looks: 3, outcome: CopyOutcome::Success });
    let writer = storage.writer("/a", WriteMode::Append).await.unwrap();
    assert_eq!(writer.size(), content.len() as u64);
    writer.commit().await.unwrap();
    assert_eq!(storage.get_content("/a").await.unwrap(), content);
    assert_eq!(faulty.keys(), ["a"], "nothing of the upload stays");
}

/// The blocks of a committed upload are freed, also when the request that was to do it failed.
#[tokio::test]
async fn blocks_do_not_outlive_their_commit() {
    for (fault, operation) in [
        (Fault::Refuse { status: 403, retry_after: None }, azure::DELETE_BLOB),
        (Fault::AppliedThenStatus { status: 403 }, azure::COPY_BLOB),
        (Fault::AppliedThenReset, azure::COPY_BLOB),
        (Fault::AppliedThenStatus { status: 500 }, azure::PUT_BLOCK_LIST),
    ] {
        let faulty = Faulty::start(Schedule::none());
        let storage = faulty.storage();
        faulty.proxy.inject(Rule::new(fault.clone()).on(operation));
        let mut writer = storage.writer("/a", WriteMode::Create).await.unwrap();
        writer.write(vec![3; 150_000]).await.unwrap();
        writer.commit().await.unwrap();
        assert_eq!(faulty.proxy.rules_left(), 0);
        assert_eq!(faulty.keys(), ["a"], "{fault:?} of {operation}");
    }
}

/// A writer that died between the copy and what comes after it has committed; whoever comes next
/// frees what it left.
#[tokio::test]
async fn what_a_dead_committer_left_is_freed() {
    for reopened in [true, false] {
        let faulty = Faulty::start(Schedule::none());
        let storage = faulty.storage();
        let mut writer = storage.writer("/a", WriteMode::Create).await.unwrap();
        writer.write(vec![3; 150_000]).await.unwrap();
        let held = Fault::Stall { place: Place::BeforeResponse, hold: Hold::UntilReleased };
        faulty.proxy.inject(Rule::new(held).on(azure::COPY_BLOB));
        let commit = tokio::spawn(writer.commit());
        faulty.proxy.until_held(1).await;
        commit.abort();
        faulty.proxy.release();
        assert!(faulty.keys().len() > 2, "session, blocks and content: {:?}", faulty.keys());
        let other = faulty.storage();
        if reopened {
            let writer = other.writer("/a", WriteMode::Append).await.unwrap();
            assert_eq!(writer.size(), 150_000, "the content, not the upload");
            writer.cancel().await.unwrap();
        } else {
            assert!(other.uploads("/").await.unwrap().is_empty());
        }
        assert_eq!(faulty.keys(), ["a"]);
    }
}

#[tokio::test]
async fn a_page_that_repeats_is_noticed() {
    let faulty = Faulty::start(Schedule::none());
    let storage = faulty.storage();
    for name in 0..120 {
        storage.put_content(&format!("/d/{name:03}"), "x").await.unwrap();
    }
    faulty.proxy.inject(Rule::new(Fault::RepeatPage).on(azure::LIST_BLOBS));
    let error = storage.list("/d").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupted, "{error}");
    assert_eq!(storage.list("/d").await.unwrap().len(), 120);
}

/// A dead connection is noticed, and the request made again.
#[tokio::test]
async fn a_stall_ends_after_the_time_for_it() {
    let faulty = Faulty::start(Schedule::none());
    let mut parameters = faulty.parameters();
    parameters.insert("stalltimeout", "1s");
    let storage = AzureParameters::parse(parameters).unwrap().into_storage().unwrap();
    storage.put_content("/a", vec![1; 100_000]).await.unwrap();
    let place = Place::ResponseBody(1000);
    let hold = Hold::UntilReleased;
    faulty.proxy.inject(Rule::new(Fault::Stall { place, hold }).on(azure::GET_BLOB));
    assert_eq!(storage.get_content("/a").await.unwrap(), vec![1; 100_000]);
    assert_eq!(faulty.proxy.counts().of(azure::GET_BLOB), 2);
}

//! Walks as calls.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::stream;
use prost::Message;
use storagedriver::{ErrorKind, Storage, WalkOptions};
use storagedriver_inmemory::InMemory;
use storagedriver_ipc::proto::walk_request::Step;
use storagedriver_ipc::proto::{EntryKind, WalkMore, WalkOrder, WalkReply, WalkRequest, WalkSkip, WalkStart};
use tokio::sync::mpsc;
use tonic::{Code, Status, Streaming};

use crate::probe::probe;
use crate::raw::{self, Client, within};

struct Walk {
    steps: mpsc::Sender<WalkRequest>,
    replies: Streaming<WalkReply>,
}

fn start(path: &str, credit: u64) -> WalkStart {
    WalkStart { path: path.into(), order: WalkOrder::Key.into(), start_after: String::new(), credit }
}

impl Walk {
    async fn start(client: &mut Client, start: WalkStart) -> Result<Self, Status> {
        let (steps, receiver) = mpsc::channel(16);
        steps.send(WalkRequest { step: Some(Step::Start(start)) }).await.unwrap();
        let requests =
            stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) });
        let replies = within(client.walk(requests)).await?.into_inner();
        Ok(Walk { steps, replies })
    }

    async fn more(&self, credit: u64) {
        self.steps.send(WalkRequest { step: Some(Step::More(WalkMore { credit })) }).await.unwrap();
    }

    async fn skip(&self, path: &str) {
        self.steps
            .send(WalkRequest { step: Some(Step::Skip(WalkSkip { path: path.into() })) })
            .await
            .unwrap();
    }

    /// The keys of the next reply; `None` at the end.
    async fn keys(&mut self) -> Option<Vec<String>> {
        let reply = within(self.replies.message()).await.unwrap()?;
        assert!((1..=1000).contains(&reply.entries.len()) && reply.encoded_len() <= 256 << 10);
        let key = |entry: storagedriver_ipc::proto::FileInfo| match entry.kind() {
            EntryKind::Directory => format!("{}/", entry.path),
            _ => entry.path,
        };
        Some(reply.entries.into_iter().map(key).collect())
    }

    /// As many keys as there is credit for.
    async fn exactly(&mut self, number: usize) -> Vec<String> {
        let mut keys = Vec::new();
        while keys.len() < number {
            keys.extend(self.keys().await.expect("the walk has ended"));
        }
        assert_eq!(keys.len(), number);
        self.nothing().await;
        keys
    }

    async fn nothing(&mut self) {
        let early = tokio::time::timeout(Duration::from_millis(50), self.replies.message()).await;
        assert!(early.is_err(), "{early:?}");
    }

    async fn rest(&mut self) -> Vec<String> {
        let mut keys = Vec::new();
        while let Some(more) = self.keys().await {
            keys.extend(more);
        }
        keys
    }
}

async fn tree() -> Storage {
    let storage = Storage::new(InMemory::new());
    for path in ["/a-b/x", "/a/p/x", "/a/p/y", "/a/q", "/a0/x", "/b/x", "/c"] {
        storage.put_content(path, "content").await.unwrap();
    }
    storage
}

#[tokio::test]
async fn both_orders_and_a_start_after() {
    let storage = tree().await;
    let (_served, mut client) = raw::open(storage.clone()).await;
    for (order, options) in [(WalkOrder::Key, WalkOptions::new()), (WalkOrder::Tree, WalkOptions::tree())] {
        for start_after in ["", "/a/p", "/a/p/", "/a/~", "/zzz"] {
            let mut options = options.clone();
            if !start_after.is_empty() {
                options = options.after(start_after.parse().unwrap());
            }
            let mut expected = Vec::new();
            let mut local = storage.walk("/", options).await.unwrap();
            while let Some(info) = local.next().await.unwrap() {
                expected.push(info.key().to_string());
            }
            let start = WalkStart { order: order.into(), start_after: start_after.into(), ..start("/", 100) };
            let mut walk = Walk::start(&mut client, start).await.unwrap();
            assert_eq!(walk.rest().await, expected, "{order:?} after {start_after:?}");
        }
    }
}

#[tokio::test]
async fn no_more_is_sent_or_read_than_there_is_credit_for() {
    let probed = probe();
    let (_served, mut client) = raw::open(probed.storage).await;
    let steps = || probed.counts.steps.load(Ordering::SeqCst);
    let mut walk = Walk::start(&mut client, start("/numbers", 0)).await.unwrap();
    walk.nothing().await;
    assert_eq!(steps(), 0);
    walk.more(3).await;
    assert_eq!(walk.exactly(3).await, ["/numbers/000000001", "/numbers/000000002", "/numbers/000000003"]);
    assert_eq!(steps(), 3);
    walk.more(1500).await;
    walk.more(1001).await;
    assert_eq!(walk.exactly(2501).await.len(), 2501);
    assert_eq!(steps(), 2504);
    // A host that will say nothing more ends the walk.
    drop(walk.steps);
    let status = within(walk.replies.message()).await.unwrap_err();
    assert!(status.message().contains("without credit"), "{status}");
}

#[tokio::test]
async fn a_host_may_say_all_at_once() {
    let (_served, mut client) = raw::open(tree().await).await;
    let request = WalkRequest { step: Some(Step::Start(start("/", u64::MAX))) };
    let mut replies = client.walk(stream::iter([request])).await.unwrap().into_inner();
    let mut number = 0;
    while let Some(reply) = within(replies.message()).await.unwrap() {
        number += reply.entries.len();
    }
    assert_eq!(number, 12);
}

#[tokio::test]
async fn an_entry_does_not_wait_for_the_next() {
    let probed = probe();
    let (_served, mut client) = raw::open(probed.storage).await;
    let mut walk = Walk::start(&mut client, start("/slow", 100_000)).await.unwrap();
    walk.nothing().await;
    probed.gate.add_permits(1);
    assert_eq!(walk.keys().await.unwrap(), ["/slow/000000001"]);
    walk.more(1).await;
    probed.gate.add_permits(2);
    let mut keys = walk.keys().await.unwrap();
    probed.gate.add_permits(5000);
    keys.extend(walk.rest().await);
    assert_eq!(keys.len(), 2999);
    assert!(keys.is_sorted());
}

#[tokio::test]
async fn a_skip_leaves_out_what_was_not_sent() {
    let (_served, mut client) = raw::open(tree().await).await;
    // At the directory itself.
    let mut walk = Walk::start(&mut client, start("/", 3)).await.unwrap();
    assert_eq!(walk.exactly(3).await, ["/a-b/", "/a-b/x", "/a/"]);
    walk.skip("/a").await;
    walk.more(100).await;
    assert_eq!(walk.rest().await, ["/a0/", "/a0/x", "/b/", "/b/x", "/c"]);
    // Inside it already, two levels.
    let mut walk = Walk::start(&mut client, start("/", 5)).await.unwrap();
    assert_eq!(walk.exactly(5).await[4], "/a/p/x");
    walk.skip("/a").await;
    walk.more(2).await;
    assert_eq!(walk.exactly(2).await, ["/a0/", "/a0/x"]);
    walk.skip("/a0").await;
    walk.more(100).await;
    assert_eq!(walk.rest().await, ["/b/", "/b/x", "/c"]);
    // Behind it: nothing to leave out.
    let mut walk = Walk::start(&mut client, start("/", 8)).await.unwrap();
    assert_eq!(walk.exactly(8).await[7], "/a0/");
    walk.skip("/a").await;
    walk.more(100).await;
    assert_eq!(walk.rest().await, ["/a0/x", "/b/", "/b/x", "/c"]);
    // The last directory: that is the end.
    let mut walk = Walk::start(&mut client, start("/a", 2)).await.unwrap();
    assert_eq!(walk.exactly(2).await, ["/a/p/", "/a/p/x"]);
    walk.skip("/a/p").await;
    walk.more(100).await;
    assert_eq!(walk.rest().await, ["/a/q"]);
}

#[tokio::test]
async fn a_skip_in_the_order_of_trees() {
    let (_served, mut client) = raw::open(tree().await).await;
    let tree = |credit| WalkStart { order: WalkOrder::Tree.into(), ..start("/", credit) };
    let mut walk = Walk::start(&mut client, tree(3)).await.unwrap();
    assert_eq!(walk.exactly(3).await, ["/a/", "/a/p/", "/a/p/x"]);
    walk.skip("/a/p").await;
    walk.more(1).await;
    assert_eq!(walk.exactly(1).await, ["/a/q"]);
    walk.more(100).await;
    assert_eq!(walk.rest().await, ["/a-b/", "/a-b/x", "/a0/", "/a0/x", "/b/", "/b/x", "/c"]);
}

#[tokio::test]
async fn what_goes_while_its_parent_is_skipped_is_the_end() {
    let storage = tree().await;
    let (_served, mut client) = raw::open(storage.clone()).await;
    let mut walk = Walk::start(&mut client, start("/a", 2)).await.unwrap();
    walk.exactly(2).await;
    storage.delete("/a").await.unwrap();
    walk.skip("/a/p").await;
    walk.more(100).await;
    assert!(walk.rest().await.is_empty());
}

#[tokio::test]
async fn failures_of_a_walk() {
    let (_served, mut client) = raw::open(tree().await).await;
    let failed = |result: Result<Walk, Status>| raw::error(result).kind();
    assert_eq!(failed(Walk::start(&mut client, start("/absent", 1)).await), ErrorKind::PathNotFound);
    assert_eq!(failed(Walk::start(&mut client, start("//", 1)).await), ErrorKind::InvalidPath);
    let after = WalkStart { start_after: "x".into(), ..start("/", 1) };
    assert_eq!(failed(Walk::start(&mut client, after).await), ErrorKind::InvalidPath);
    for order in [0, 7] {
        let status = Walk::start(&mut client, WalkStart { order, ..start("/", 1) }).await.err().unwrap();
        assert_eq!(status.code(), Code::InvalidArgument);
    }
    let first = WalkRequest { step: Some(Step::More(WalkMore { credit: 1 })) };
    assert!(client.walk(stream::iter([first])).await.unwrap_err().message().contains("`start`"));
    let mut walk = Walk::start(&mut client, start("/", 0)).await.unwrap();
    walk.steps.send(WalkRequest { step: Some(Step::Start(start("/", 1))) }).await.unwrap();
    assert!(within(walk.replies.message()).await.unwrap_err().message().contains("begins once"));
    let mut walk = Walk::start(&mut client, start("/", 0)).await.unwrap();
    walk.skip("x").await;
    assert_eq!(raw::error(within(walk.replies.message()).await).kind(), ErrorKind::InvalidPath);
    // What a newer host says is skipped.
    let mut walk = Walk::start(&mut client, start("/", 1)).await.unwrap();
    walk.steps.send(WalkRequest { step: None }).await.unwrap();
    walk.more(100).await;
    assert_eq!(walk.rest().await.len(), 12);
}

//! The formulas, held against a server that counts.

use std::collections::BTreeSet;

use storagedriver::{Parameters, Storage, WalkOptions, factory};
use storagedriver_cli::registry::{Algorithm, Digest, Entry, blob_path};
use storagedriver_cli::sync::{SyncOptions, SyncSummary, sync};
use storagedriver_cli::verify::{VerifyOptions, verify};
use storagedriver_s3 as _;
use storagedriver_testservers::{S3Options, S3Server};

use crate::formulas::{self, Requests, Shape};

/// The least that S3 takes, and what the driver is told.
const PART: usize = 5 << 20;

async fn open(server: &S3Server) -> Storage {
    let parameters = [
        ("bucket", "bucket".to_owned()),
        ("regionendpoint", server.endpoint()),
        ("accesskey", server.access_key().to_owned()),
        ("secretkey", server.secret_key().to_owned()),
        ("chunksize", PART.to_string()),
    ];
    factory::create("s3", Parameters::from_iter(parameters)).await.unwrap()
}

/// What arrived at a server since it was asked last.
fn arrived(server: &S3Server) -> Requests {
    let mut requests = Requests::default();
    for request in server.requests().all() {
        let lists = ["list-type", "uploads"].iter().any(|name| request.parameter(name).is_some());
        match request.method.as_str() {
            "GET" if lists => requests.list += 1,
            "GET" => requests.get += 1,
            "HEAD" => requests.head += 1,
            "PUT" => requests.put += 1,
            "POST" if request.parameter("delete").is_some() => requests.delete += 1,
            "POST" => requests.put += 1,
            "DELETE" => requests.delete += 1,
            other => panic!("{other}"),
        }
    }
    server.requests().clear();
    requests
}

/// Writes a registry, and counts what is in it.
struct Writer<'a> {
    server: &'a S3Server,
    shape: Shape,
    fans: BTreeSet<u8>,
}

impl Writer<'_> {
    fn blob(&mut self, content: Vec<u8>) -> Digest {
        let digest = Digest::of(Algorithm::Sha256, &content);
        self.put(&blob_path(&digest), content);
        self.fans.insert(digest.as_bytes()[0]);
        digest
    }

    fn link(&self, entry: Entry, digest: Digest) {
        self.put(&entry.path().unwrap(), digest.to_string().into_bytes());
    }

    /// Past the driver, which is quicker.
    fn put(&self, path: &str, content: Vec<u8>) {
        self.server.store().put("bucket", path.trim_start_matches('/'), content);
    }

    /// An image of three blobs, one of which all images have, and of a large one where `parts` is not 0.
    fn image(&mut self, repository: &str, number: u64, parts: u64) {
        let mut layers = vec![vec![7; 100], vec![number as u8; 3000], format!("{number}").into_bytes()];
        if parts > 0 {
            layers.push(vec![number as u8; PART * (parts as usize - 1) + 10]);
            self.shape.large_blobs += 1;
            self.shape.parts += parts;
        }
        self.shape.small_blobs += if number == 0 { 3 } else { 2 };
        let mut digests = Vec::new();
        for layer in layers {
            let digest = self.blob(layer);
            self.link(Entry::LayerLink { repository: repository.to_owned(), digest }, digest);
            digests.push(serde_json::json!({ "digest": digest.to_string() }));
        }
        self.shape.layer_links += digests.len() as u64;
        self.shape.references += digests.len() as u64;
        let manifest =
            serde_json::json!({ "schemaVersion": 2, "config": digests[0], "layers": digests[1..] });
        let digest = self.blob(manifest.to_string().into_bytes());
        self.link(Entry::RevisionLink { repository: repository.to_owned(), digest }, digest);
        self.shape.manifests += 1;
        for tag in ["a", "b"].iter().take(1 + number as usize % 2) {
            let (repository, tag) = (repository.to_owned(), (*tag).to_owned());
            let index = Entry::TagIndex { repository: repository.clone(), tag: tag.clone(), digest };
            self.link(index, digest);
            self.link(Entry::TagCurrent { repository, tag }, digest);
            self.shape.tags += 1;
        }
        self.shape.repositories += 1;
    }
}

fn fill(server: &S3Server) -> (Shape, u64) {
    let shape = Shape {
        small_blobs: 0,
        large_blobs: 0,
        parts: 0,
        manifests: 0,
        references: 0,
        layer_links: 0,
        tags: 0,
        repositories: 0,
    };
    let mut writer = Writer { server, shape, fans: BTreeSet::new() };
    for number in 0..7 {
        writer.image(&format!("r{number}"), number, if number == 3 { 3 } else { 0 });
    }
    // More files than a page lists.
    for number in 0..1000_u64 {
        let digest = writer.blob(number.to_le_bytes().to_vec());
        writer.link(Entry::LayerLink { repository: "r0".to_owned(), digest }, digest);
    }
    writer.shape.small_blobs += 1000;
    writer.shape.layer_links += 1000;
    (writer.shape, writer.fans.len() as u64)
}

async fn run(from: &Storage, to: &Storage, change: impl FnOnce(&mut SyncOptions)) -> SyncSummary {
    let mut options = SyncOptions::default();
    change(&mut options);
    let summary = sync(from, to, &options, &Default::default()).await.unwrap();
    assert_eq!(summary.faults, 0);
    summary
}

async fn check(storage: &Storage, links_only: bool) {
    let mut options = VerifyOptions::default();
    options.links_only = links_only;
    let summary = verify(storage, &options, &Default::default()).await.unwrap();
    assert_eq!(summary.faults, 0);
}

#[tokio::test]
async fn the_formulas_are_what_a_server_counts() {
    let [source, destination] = [(); 2].map(|()| S3Server::start(S3Options::default()).unwrap());
    let (from, to) = (open(&source).await, open(&destination).await);
    let (shape, fans) = fill(&source);

    let mut walk = from.walk("/", WalkOptions::new()).await.unwrap();
    let (mut files, mut directories) = (0, 0);
    while let Some(entry) = walk.next().await.unwrap() {
        *if entry.is_file() { &mut files } else { &mut directories } += 1;
    }
    assert_eq!((files, directories), (shape.files(), shape.directories(fans)));
    assert_eq!(arrived(&source), formulas::walk(&shape));

    // Nothing is remembered: the most that it can take.
    let summary = run(&from, &to, |options| options.remembered = 0).await;
    assert_eq!(summary.copied, shape.files());
    assert_eq!(arrived(&source), formulas::copy_from(&shape));
    let most = arrived(&destination);
    assert_eq!(most, formulas::copy_to(&shape));

    let summary = run(&from, &to, |options| options.dry_run = true).await;
    assert_eq!((summary.copied, summary.same), (0, shape.files()));
    assert_eq!(arrived(&source), formulas::compare(&shape));
    assert_eq!(arrived(&destination), formulas::compare(&shape));

    check(&to, false).await;
    assert_eq!(arrived(&destination), formulas::verify(&shape));
    check(&to, true).await;
    assert_eq!(arrived(&destination), formulas::verify_links(&shape));

    // As a run does it: a small registry is remembered whole, so that only what was written needs a request.
    let another = S3Server::start(S3Options::default()).unwrap();
    run(&from, &open(&another).await, |_| ()).await;
    let least = arrived(&another);
    assert_eq!((least.list, least.put, least.delete), (most.list, most.put, most.delete));
    assert!(least.head < most.head / 10, "{least:?}");
}

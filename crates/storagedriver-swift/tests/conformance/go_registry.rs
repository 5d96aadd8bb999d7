//! Distribution's registry of version 2, the last with a Swift driver, and we on one container.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use object_store::client::HttpRequest;
use ring::digest::{SHA256, digest};
use serde_json::json;
use storagedriver::url::Url;
use storagedriver::{Secret, Storage, WriteMode, async_trait};
use storagedriver_object::StoreResult;
use storagedriver_object::http::{
    HttpClient, HttpOptions, Method, Refusal, ReplyHead, Request, Service, header,
};
use storagedriver_swift::SwiftParameters;
use storagedriver_testsuites::{Checked, Outcome};

use crate::admin::Admin;
use crate::given::{open, parameters};
use crate::own_case;

/// The program.
const PROGRAM: &str = "STORAGEDRIVER_TEST_REGISTRY";
/// How long it may take to answer its first request.
const READY: Duration = Duration::from_secs(60);
const MIB: usize = 1 << 20;
const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// A registry that runs; killed when it is dropped, and by the kernel when this process is.
struct Registry {
    child: Child,
    address: String,
    http: HttpClient,
    place: std::path::PathBuf,
}

/// It asks nobody who he is.
#[derive(Debug)]
struct Anonymous;

#[async_trait]
impl Service for Anonymous {
    async fn authorize(&self, _: &mut HttpRequest) -> StoreResult<()> {
        Ok(())
    }

    fn refusal(&self, head: &ReplyHead, body: &[u8]) -> Refusal {
        Refusal::plain(head, body)
    }
}

fn configuration(parameters: &SwiftParameters, address: &str) -> String {
    let mut text = "version: 0.1\nlog:\n  level: warn\nstorage:\n  swift:\n".to_owned();
    let password = parameters.password.as_ref().map(|password| Secret::reveal(password).to_owned());
    for (name, value) in [
        ("authurl", Some(&parameters.authurl)),
        ("container", Some(&parameters.container)),
        ("username", parameters.username.as_ref()),
        ("password", password.as_ref()),
        ("tenant", parameters.tenant.as_ref()),
        ("domain", parameters.domain.as_ref()),
        ("region", parameters.region.as_ref()),
        ("prefix", Some(&parameters.prefix)),
    ] {
        if let Some(value) = value {
            text += &format!("    {name}: {value:?}\n");
        }
    }
    text += &format!("    chunksize: {MIB}\n  delete:\n    enabled: true\n  redirect:\n    disable: true\n");
    text + &format!("http:\n  addr: {address}\n")
}

impl Registry {
    fn start(parameters: &SwiftParameters) -> Self {
        let program = std::env::var(PROGRAM)
            .unwrap_or_else(|_| panic!("{PROGRAM} is not set: run this by `cargo xtask conformance swift`"));
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let place =
            std::env::temp_dir().join(format!("storagedriver-registry-{}-{port}", std::process::id()));
        std::fs::create_dir(&place).unwrap();
        let file = place.join("config.yml");
        std::fs::write(&file, configuration(parameters, &address)).unwrap();
        let log = std::fs::File::create(place.join("log")).unwrap();
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", &program, "serve"])
            .arg(file)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let http = HttpClient::new("registry", HttpOptions::default()).unwrap();
        let mut registry = Registry { child, address, http, place };
        let started = Instant::now();
        while TcpStream::connect(&registry.address).is_err() {
            assert!(registry.child.try_wait().unwrap().is_none(), "it has ended:\n{}", registry.log());
            assert!(started.elapsed() < READY, "it does not answer:\n{}", registry.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        registry
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.place.join("log")).unwrap_or_default()
    }

    async fn ask(&self, method: Method, url: &str, kind: &str, body: impl Into<Bytes>) -> (ReplyHead, Bytes) {
        let url = Url::parse(&format!("http://{}", self.address)).unwrap().join(url).unwrap();
        let request = Request::new("registry", method, url).header(header::CONTENT_TYPE, kind).unwrap();
        let request = request.header(header::ACCEPT, MANIFEST).unwrap().body(body);
        let asked = self.http.exchange(&Anonymous, &request, 1 << 26, |head, body| Ok((head.clone(), body)));
        asked.await.unwrap_or_else(|error| panic!("{}: {error:?}\n{}", request.url, self.log()))
    }

    /// Pushes a blob in these pieces, as a client that sends chunks; its digest.
    async fn push(&self, pieces: &[&[u8]]) -> String {
        let kind = "application/octet-stream";
        let location = |head: &ReplyHead| head.header(header::LOCATION).unwrap().to_owned();
        let (head, _) = self.ask(Method::POST, "/v2/r/blobs/uploads/", kind, "").await;
        let mut place = location(&head);
        for piece in pieces {
            let (head, _) = self.ask(Method::PATCH, &place, kind, piece.to_vec()).await;
            place = location(&head);
        }
        let digest = sha256(&pieces.concat());
        let and = if place.contains('?') { '&' } else { '?' };
        self.ask(Method::PUT, &format!("{place}{and}digest={digest}"), kind, "").await;
        digest
    }

    async fn blob(&self, digest: &str) -> Bytes {
        self.ask(Method::GET, &format!("/v2/r/blobs/{digest}"), "text/plain", "").await.1
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.place);
    }
}

fn sha256(content: &[u8]) -> String {
    let sum = digest(&SHA256, content);
    sum.as_ref().iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

fn content(seed: usize, size: usize) -> Vec<u8> {
    (0..size).map(|number| ((number * 31 + seed) / 5 % 251) as u8).collect()
}

fn hex(digest: &str) -> &str {
    digest.strip_prefix("sha256:").unwrap()
}

fn blob_path(digest: &str) -> String {
    format!("/docker/registry/v2/blobs/sha256/{}/{}/data", &hex(digest)[..2], hex(digest))
}

/// Writes a blob as a registry on our driver does.
async fn push_by_us(storage: &Storage, content: &[u8]) -> String {
    let digest = sha256(content);
    let upload = "/docker/registry/v2/repositories/r/_uploads/u/data";
    storage.writer(upload, WriteMode::Create).await.unwrap().close().await.unwrap();
    for piece in content.chunks(700_000) {
        let mut writer = storage.writer(upload, WriteMode::Append).await.unwrap();
        writer.write(piece.to_vec()).await.unwrap();
        writer.close().await.unwrap();
    }
    storage.writer(upload, WriteMode::Append).await.unwrap().commit().await.unwrap();
    storage.rename(upload, &blob_path(&digest)).await.unwrap();
    let link = format!("/docker/registry/v2/repositories/r/_layers/sha256/{}/link", hex(&digest));
    storage.put_content(&link, digest.clone()).await.unwrap();
    digest
}

#[test]
fn one_container() -> Checked {
    own_case("a registry of version 2 and we on one container", async {
        let parameters = parameters();
        let admin = Admin::new(&parameters).await;
        let place = format!("{}/segments/", parameters.prefix);
        let segments = || admin.names(&place);
        let registry = Registry::start(&parameters);
        let (config, layer) = (content(1, 300), content(2, 3 * MIB + 77));

        // It writes; all that came through an upload is a dynamic large object.
        let layer_digest = registry.push(&[&layer[..MIB + 5], &layer[MIB + 5..]]).await;
        let config_digest = registry.push(&[&config]).await;
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 300, "digest": config_digest},
            "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar", "size": layer.len(), "digest": layer_digest}],
        });
        registry.ask(Method::PUT, "/v2/r/manifests/1", MANIFEST, manifest.to_string()).await;
        assert!(segments().await.len() >= 4);

        // We read it byte for byte.
        let storage = open(&parameters, 3);
        let path = blob_path(&layer_digest);
        assert!(storage.get_content(&path).await.unwrap() == layer);
        assert!(storage.get_content(&blob_path(&config_digest)).await.unwrap() == config);
        let manifest_path = blob_path(&sha256(manifest.to_string().as_bytes()));
        assert_eq!(storage.get_content(&manifest_path).await.unwrap(), manifest.to_string());
        let listed = storage.list(path.strip_suffix("/data").unwrap()).await.unwrap();
        assert_eq!(listed[0].size(), Some(layer.len() as u64));
        let tag = "/docker/registry/v2/repositories/r/_manifests/tags/1/current/link";
        assert_eq!(storage.get_content(tag).await.unwrap(), sha256(manifest.to_string().as_bytes()));

        // A rename moves the manifest and no content; it serves what came back.
        let before = segments().await;
        storage.rename(&path, "/elsewhere").await.unwrap();
        storage.rename("/elsewhere", &path).await.unwrap();
        assert_eq!(segments().await, before);
        assert!(registry.blob(&layer_digest).await == layer);

        // We go on, and it serves what we wrote; it goes on, and we read.
        let ours = content(3, 2 * MIB + 9);
        let ours_digest = push_by_us(&storage, &ours).await;
        assert!(registry.blob(&ours_digest).await == ours);
        let theirs = content(4, MIB + 1);
        let theirs_digest = registry.push(&[&theirs]).await;
        assert!(storage.get_content(&blob_path(&theirs_digest)).await.unwrap() == theirs);
        assert!(storage.uploads("/").await.unwrap().is_empty());

        // What we delete or write over goes with its segments: those of the Go driver's deletes stay.
        let held = segments().await.len();
        storage.delete(&path).await.unwrap();
        storage.put_content(&blob_path(&theirs_digest), "over it").await.unwrap();
        storage.delete(&blob_path(&ours_digest)).await.unwrap();
        let left = segments().await;
        assert!(held - left.len() >= 4 + 2 + 3, "{held} segments, then {left:?}");
        Outcome::Pass
    })
}

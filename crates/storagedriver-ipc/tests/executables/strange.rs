//! Executables that are no drivers, or strange ones. Each is a test that does nothing unless a host started it.

use std::future::pending;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{Stream, stream};
use storagedriver::{
    FileInfo, Layer, Registration, Result as DriverResult, Storage, StorageDriver, StoragePath, async_trait,
};
use storagedriver_inmemory::InMemory;
use storagedriver_ipc::proto;
use storagedriver_ipc::proto::storage_driver_server::{StorageDriver as Service, StorageDriverServer};
use tonic::{Request, Response, Status, Streaming};

use crate::drivers::{serve, socket};

/// Accepts connections, and does this with each. The standard input is not looked at: such an executable has to be
/// killed.
fn accept(talk: impl Fn(UnixStream) + Send + Clone + 'static) {
    let Some(socket) = socket() else { return };
    for stream in UnixListener::bind(socket).unwrap().incoming() {
        let talk = talk.clone();
        std::thread::spawn(move || talk(stream.unwrap()));
    }
}

#[test]
fn http1() {
    accept(|mut stream| {
        let _ = stream.read(&mut [0; 1000]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    });
}

#[test]
fn garbage() {
    accept(
        |mut stream| {
            while stream.write_all(&[0xff, 0x00, b'g', b'a', b'r', b'b', b'a', b'g', b'e']).is_ok() {}
        },
    );
}

#[test]
fn silent() {
    accept(|stream| {
        std::thread::sleep(Duration::from_secs(3600));
        drop(stream);
    });
}

/// Closes each connection as soon as it is there.
#[test]
fn closes() {
    accept(drop);
}

/// Leaves a process in a group of its own that holds the pipes, and dies.
#[test]
fn outlived() {
    use std::os::unix::process::CommandExt;
    if socket().is_none() {
        return;
    }
    let left = std::process::Command::new("sleep").arg("30").process_group(0).spawn().unwrap();
    eprintln!("left {} behind", left.id());
    std::process::exit(3);
}

/// A driver whose process ends when it is asked for `/crash`; how often is counted by its starts.
#[derive(Debug)]
struct Crashing(InMemory);

#[async_trait]
impl Layer for Crashing {
    fn inner(&self) -> &dyn StorageDriver {
        &self.0
    }

    async fn stat(&self, path: &StoragePath) -> DriverResult<FileInfo> {
        if path.as_str() == "/crash" {
            eprintln!("out of luck");
            std::process::exit(7);
        }
        self.0.stat(path).await
    }
}

storagedriver::parameters! {
    /// The parameters of a strange driver.
    struct StrangeParameters for "strange" {
        /// Shown nowhere.
        password: Secret,
        /// Refused if it is not 1.
        shards: Integer(1 ..= 1) = 1,
    }
}

const CRASHING: Registration = Registration::new(
    "crashing",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_VERSION"),
    "A driver that crashes",
    &StrangeParameters::TABLE,
    |parameters| {
        Box::pin(async move {
            StrangeParameters::parse(parameters)?;
            Ok(Storage::new(Crashing(InMemory::new())))
        })
    },
);

#[test]
fn crashing() {
    serve(CRASHING);
}

/// A driver that shows its secret wherever it can.
#[derive(Debug)]
struct Talkative(InMemory, String);

#[async_trait]
impl Layer for Talkative {
    fn inner(&self) -> &dyn StorageDriver {
        &self.0
    }

    async fn stat(&self, path: &StoragePath) -> DriverResult<FileInfo> {
        eprintln!("the password is {}", self.1);
        println!("the password is {}", self.1);
        self.0.stat(path).await
    }
}

const TALKATIVE: Registration = Registration::new(
    "talkative",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_VERSION"),
    "A driver that writes its secret into its log",
    &StrangeParameters::TABLE,
    |parameters| {
        Box::pin(async move {
            let given = StrangeParameters::parse(parameters)?;
            let password = given.password.as_ref().map_or("", |password| password.reveal()).to_owned();
            Ok(Storage::new(Talkative(InMemory::new(), password)))
        })
    },
);

#[test]
fn talkative() {
    serve(TALKATIVE);
}

/// Answers the first two calls as it was made, `Stat` once per process with what no host knows, and nothing else.
#[derive(Default)]
struct Strange {
    negotiate: proto::NegotiateReply,
    open: proto::OpenReply,
    stat: Option<proto::StatReply>,
    stats: AtomicUsize,
}

fn answer(strange: Strange) {
    let Some(socket) = socket() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::UnixListener::bind(socket).unwrap();
        let incoming = stream::unfold(listener, |listener| async {
            Some((listener.accept().await.map(|(stream, _)| stream), listener))
        });
        let server = tonic::transport::Server::builder();
        let serving =
            server.serve_with_incoming_shutdown(StorageDriverServer::new(strange), incoming, pending());
        serving.await.unwrap();
    });
}

fn negotiated(version: u32, min_version: u32, max_version: u32) -> proto::NegotiateReply {
    proto::NegotiateReply {
        version,
        min_version,
        max_version,
        program: "strange 9.9".to_owned(),
        capabilities: vec!["telepathy".to_owned()],
        driver: "strange".to_owned(),
    }
}

/// Speaks only versions that are yet to come.
#[test]
fn newer() {
    answer(Strange { negotiate: negotiated(0, 2, 3), ..Strange::default() });
}

/// Chooses a version that it was not offered.
#[test]
fn unoffered() {
    answer(Strange { negotiate: negotiated(9, 1, 9), ..Strange::default() });
}

/// Says that it is another driver than the one that was asked for.
#[test]
fn other() {
    let negotiate = proto::NegotiateReply { driver: "another".to_owned(), ..negotiated(1, 1, 1) };
    answer(Strange { negotiate, ..Strange::default() });
}

/// A driver of the first version with additions of a later one: promises and kinds that this host does not know.
#[test]
fn later() {
    let open = proto::OpenReply {
        lacking: vec!["shared".to_owned(), "telepathic".to_owned()],
        ..Default::default()
    };
    let info = proto::FileInfo { path: "/a".to_owned(), kind: 99, ..Default::default() };
    let stat = Some(proto::StatReply { info: Some(info) });
    answer(Strange { negotiate: negotiated(1, 1, 4), open, stat, ..Strange::default() });
}

type Replies<M> = Pin<Box<dyn Stream<Item = Result<M, Status>> + Send>>;

/// The service, with the calls that it does not answer.
macro_rules! service {
    ({ $($answered:tt)* } $($method:ident($request:ty) -> $reply:ty;)+) => {
        #[async_trait]
        impl Service for Strange {
            type GetContentStream = Replies<proto::ContentReply>;
            type ReadStream = Replies<proto::ContentReply>;
            type WriteStream = Replies<proto::WriteReply>;
            type ListStream = Replies<proto::ListReply>;
            type WalkStream = Replies<proto::WalkReply>;
            type UploadsStream = Replies<proto::UploadsReply>;

            $($answered)*

            $(async fn $method(&self, _: Request<$request>) -> Result<Response<$reply>, Status> {
                Err(Status::unimplemented("a strange driver"))
            })+
        }
    };
}

service! {
    {
        async fn negotiate(
            &self,
            _: Request<proto::NegotiateRequest>,
        ) -> Result<Response<proto::NegotiateReply>, Status> {
            Ok(Response::new(self.negotiate.clone()))
        }

        async fn open(&self, _: Request<proto::OpenRequest>) -> Result<Response<proto::OpenReply>, Status> {
            Ok(Response::new(self.open.clone()))
        }

        async fn stat(&self, _: Request<proto::StatRequest>) -> Result<Response<proto::StatReply>, Status> {
            match (&self.stat, self.stats.fetch_add(1, Ordering::Relaxed)) {
                (Some(reply), 0) => Ok(Response::new(reply.clone())),
                _ => Err(Status::unimplemented("a strange driver")),
            }
        }
    }
    health(proto::HealthRequest) -> proto::HealthReply;
    get_content(proto::GetContentRequest) -> Replies<proto::ContentReply>;
    put_content(Streaming<proto::PutContentRequest>) -> proto::PutContentReply;
    read(proto::ReadRequest) -> Replies<proto::ContentReply>;
    write(Streaming<proto::WriteRequest>) -> Replies<proto::WriteReply>;
    list(proto::ListRequest) -> Replies<proto::ListReply>;
    walk(Streaming<proto::WalkRequest>) -> Replies<proto::WalkReply>;
    rename(proto::RenameRequest) -> proto::RenameReply;
    delete(proto::DeleteRequest) -> proto::DeleteReply;
    uploads(proto::UploadsRequest) -> Replies<proto::UploadsReply>;
    abort_upload(proto::AbortUploadRequest) -> proto::AbortUploadReply;
    redirect_url(proto::RedirectUrlRequest) -> proto::RedirectUrlReply;
    examine(proto::ExamineRequest) -> proto::ExamineReply;
}

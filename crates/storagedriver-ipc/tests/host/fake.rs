//! A driver's server whose answers a test says, in this process.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::{Stream, StreamExt, stream};
use storagedriver::{Factory, Parameters, Result, Storage, async_trait};
use storagedriver_ipc::proto::storage_driver_server::{StorageDriver, StorageDriverServer};
use storagedriver_ipc::proto::*;
use storagedriver_ipc::{DRIVER, proto};
use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::sync::mpsc;
use tonic::{Request, Response, Status, Streaming};

pub(crate) type Replies<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;
type Answer<Q, R> = Box<dyn Fn(Q) -> Result<R, Status> + Send + Sync>;

/// The two ends of an upload or a walk, as the driver has them.
pub(crate) struct Call<Q, R> {
    pub(crate) requests: Streaming<Q>,
    pub(crate) replies: mpsc::UnboundedSender<Result<R, Status>>,
}

impl<Q, R> Call<Q, R> {
    pub(crate) fn send(&self, reply: R) {
        // A host that is gone is what some tests are about.
        let _ = self.replies.send(Ok(reply));
    }

    pub(crate) async fn next(&mut self) -> Option<Q> {
        self.requests.message().await.ok().flatten()
    }
}

type Talk<Q, R> = Arc<dyn Fn(Call<Q, R>) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// What the driver answers.
pub(crate) struct Answers {
    pub(crate) negotiated: NegotiateReply,
    pub(crate) opened: OpenReply,
    pub(crate) stat: Answer<StatRequest, StatReply>,
    pub(crate) content: Answer<ReadRequest, Replies<ContentReply>>,
    pub(crate) examine: Answer<ExamineRequest, ExamineReply>,
    pub(crate) write: Talk<WriteRequest, WriteReply>,
    pub(crate) walk: Talk<WalkRequest, WalkReply>,
    /// Nothing is answered to `stat` at all.
    pub(crate) hangs: bool,
}

fn unanswered<Q, R>() -> Answer<Q, R> {
    Box::new(|_| Err(Status::internal("no answer was said")))
}

impl Default for Answers {
    fn default() -> Self {
        Answers {
            negotiated: NegotiateReply {
                version: 1,
                min_version: 1,
                max_version: 1,
                program: "fake 9".to_owned(),
                capabilities: vec!["examine".to_owned()],
                driver: "fake".to_owned(),
            },
            opened: OpenReply::default(),
            stat: Box::new(|request| {
                let info = proto::FileInfo {
                    path: request.path,
                    kind: EntryKind::Directory.into(),
                    ..Default::default()
                };
                Ok(StatReply { info: Some(info) })
            }),
            content: unanswered(),
            examine: unanswered(),
            write: Arc::new(|_| Box::pin(async {})),
            walk: Arc::new(|_| Box::pin(async {})),
            hangs: false,
        }
    }
}

/// A server at a socket. Dropping it ends it.
pub(crate) struct Fake {
    directory: TempDir,
    connections: Arc<Mutex<Vec<UnixStream>>>,
    pub(crate) accepted: Arc<AtomicUsize>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.serving.abort();
        self.break_connections();
    }
}

impl Fake {
    pub(crate) fn serve(answers: Answers) -> Fake {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join("socket")).unwrap();
        let connections = Arc::new(Mutex::new(Vec::new()));
        let accepted = Arc::new(AtomicUsize::new(0));
        let (held, counted) = (connections.clone(), accepted.clone());
        let incoming = stream::unfold(listener, move |listener| {
            let (held, counted) = (held.clone(), counted.clone());
            async move {
                let (stream, _) = listener.accept().await.unwrap();
                held.lock().unwrap().push(UnixStream::from(stream.as_fd().try_clone_to_owned().unwrap()));
                counted.fetch_add(1, Ordering::SeqCst);
                Some((std::io::Result::Ok(stream), listener))
            }
        });
        let service = StorageDriverServer::new(Served(Arc::new(answers)));
        let serving = tokio::spawn(async move {
            let server = tonic::transport::Server::builder();
            server.serve_with_incoming_shutdown(service, incoming, std::future::pending()).await.unwrap();
        });
        Fake { directory, connections, accepted, serving }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    /// Breaks what connections there are, in the middle of whatever is under way.
    pub(crate) fn break_connections(&self) {
        for connection in self.connections.lock().unwrap().drain(..) {
            let _ = connection.shutdown(std::net::Shutdown::Both);
        }
    }

    pub(crate) async fn open(&self) -> Result<Storage> {
        self.open_with(Parameters::new()).await
    }

    pub(crate) async fn open_with(&self, mut parameters: Parameters) -> Result<Storage> {
        parameters.insert("socket", self.socket().display().to_string());
        external(parameters).await
    }
}

/// Makes the driver `external`.
pub(crate) async fn external(parameters: Parameters) -> Result<Storage> {
    Factory::new().with(DRIVER).create("external", parameters).await
}

struct Served(Arc<Answers>);

fn unbounded<T: Send + 'static>() -> (mpsc::UnboundedSender<Result<T, Status>>, Replies<T>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let replies = stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) });
    (sender, replies.boxed())
}

fn talk<Q: Send + 'static, R: Send + 'static>(
    talk: &Talk<Q, R>,
    request: Request<Streaming<Q>>,
) -> Result<Response<Replies<R>>, Status> {
    let (sender, replies) = unbounded();
    tokio::spawn(talk(Call { requests: request.into_inner(), replies: sender }));
    Ok(Response::new(replies))
}

fn not_here<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("not in this driver"))
}

#[async_trait]
impl StorageDriver for Served {
    async fn negotiate(&self, _: Request<NegotiateRequest>) -> Result<Response<NegotiateReply>, Status> {
        Ok(Response::new(self.0.negotiated.clone()))
    }

    async fn open(&self, request: Request<OpenRequest>) -> Result<Response<OpenReply>, Status> {
        assert!(request.into_inner().parameters.is_empty());
        Ok(Response::new(self.0.opened.clone()))
    }

    async fn health(&self, _: Request<HealthRequest>) -> Result<Response<HealthReply>, Status> {
        not_here()
    }

    type GetContentStream = Replies<ContentReply>;
    async fn get_content(
        &self,
        request: Request<GetContentRequest>,
    ) -> Result<Response<Replies<ContentReply>>, Status> {
        let request = ReadRequest { path: request.into_inner().path, ..Default::default() };
        (self.0.content)(request).map(Response::new)
    }

    async fn put_content(
        &self,
        _: Request<Streaming<PutContentRequest>>,
    ) -> Result<Response<PutContentReply>, Status> {
        not_here()
    }

    type ReadStream = Replies<ContentReply>;
    async fn read(&self, request: Request<ReadRequest>) -> Result<Response<Replies<ContentReply>>, Status> {
        (self.0.content)(request.into_inner()).map(Response::new)
    }

    type WriteStream = Replies<WriteReply>;
    async fn write(
        &self,
        request: Request<Streaming<WriteRequest>>,
    ) -> Result<Response<Replies<WriteReply>>, Status> {
        talk(&self.0.write, request)
    }

    async fn stat(&self, request: Request<StatRequest>) -> Result<Response<StatReply>, Status> {
        if self.0.hangs {
            assert!(request.metadata().contains_key("grpc-timeout"));
            std::future::pending::<()>().await;
        }
        (self.0.stat)(request.into_inner()).map(Response::new)
    }

    type ListStream = Replies<ListReply>;
    async fn list(&self, _: Request<ListRequest>) -> Result<Response<Replies<ListReply>>, Status> {
        not_here()
    }

    type WalkStream = Replies<WalkReply>;
    async fn walk(
        &self,
        request: Request<Streaming<WalkRequest>>,
    ) -> Result<Response<Replies<WalkReply>>, Status> {
        talk(&self.0.walk, request)
    }

    async fn rename(&self, _: Request<RenameRequest>) -> Result<Response<RenameReply>, Status> {
        not_here()
    }

    async fn delete(&self, _: Request<DeleteRequest>) -> Result<Response<DeleteReply>, Status> {
        not_here()
    }

    type UploadsStream = Replies<UploadsReply>;
    async fn uploads(&self, _: Request<UploadsRequest>) -> Result<Response<Replies<UploadsReply>>, Status> {
        not_here()
    }

    async fn abort_upload(
        &self,
        _: Request<AbortUploadRequest>,
    ) -> Result<Response<AbortUploadReply>, Status> {
        not_here()
    }

    async fn redirect_url(
        &self,
        _: Request<RedirectUrlRequest>,
    ) -> Result<Response<RedirectUrlReply>, Status> {
        not_here()
    }

    async fn examine(&self, request: Request<ExamineRequest>) -> Result<Response<ExamineReply>, Status> {
        (self.0.examine)(request.into_inner()).map(Response::new)
    }
}

//! What every call has in common: its failure as a status, and a panic that ends the call and not the process.

use std::panic::AssertUnwindSafe;

use futures_util::stream::BoxStream;
use futures_util::{FutureExt, Stream, StreamExt};
use storagedriver::{Error, ErrorKind, ErrorParts, Operation, Result, Storage, StoragePath};
use tonic::Status;

use crate::{convert, proto};

/// What a streaming call answers.
pub(super) type Replies<M> = BoxStream<'static, Result<M, Status>>;

/// One call of an opened driver.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) storage: Storage,
    /// The operation that was called.
    operation: Operation,
}

impl Call {
    pub(super) fn new(storage: Storage, operation: Operation) -> Self {
        Call { storage, operation }
    }

    /// The same call at another operation of it: a write, after the opening.
    pub(super) fn at(&self, operation: Operation) -> Self {
        Call { storage: self.storage.clone(), operation }
    }

    /// Does what the driver has to do.
    pub(super) async fn run<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T, Status> {
        self.attempt(work).await?.map_err(|error| self.status(&error))
    }

    /// The same, where the driver's failure does not end the call.
    pub(super) async fn attempt<T>(
        &self,
        work: impl Future<Output = Result<T>>,
    ) -> Result<Result<T>, Status> {
        AssertUnwindSafe(work).catch_unwind().await.map_err(|_| self.panicked())
    }

    /// The replies of a stream whose polling runs the driver.
    pub(super) fn guard<M: Send + 'static>(
        &self,
        replies: impl Stream<Item = Result<M, Status>> + Send + 'static,
    ) -> Replies<M> {
        let call = self.clone();
        let caught = AssertUnwindSafe(replies).catch_unwind();
        caught.map(move |reply| reply.unwrap_or_else(|_| Err(call.panicked()))).boxed()
    }

    /// A failure as the status of the call.
    pub(super) fn status(&self, error: &Error) -> Status {
        convert::to_status(&self.without_what_the_host_knows(error))
    }

    /// A failure as a message.
    pub(super) fn message(&self, error: &Error) -> proto::Error {
        convert::error_message(&self.without_what_the_host_knows(error))
    }

    /// The host adds driver and operation by itself, under the name that its user gave.
    fn without_what_the_host_knows(&self, error: &Error) -> Error {
        let mut parts = ErrorParts::from(error);
        let context = &mut parts.context;
        if parts.kind != ErrorKind::InvalidParameter && context.driver.as_deref() == Some(self.storage.name())
        {
            context.driver = None;
        }
        if context.operation == Some(self.operation) {
            context.operation = None;
        }
        parts.into_error()
    }

    /// What the driver said when it panicked may hold anything, and is in its log.
    fn panicked(&self) -> Status {
        let reason = "the driver panicked; its log says where";
        self.status(&Error::backend(&StoragePath::root(), reason))
    }
}

/// The host did what the protocol does not allow.
pub(super) fn broken(reason: impl AsRef<str>) -> Status {
    Status::invalid_argument(format!("the host broke the protocol: {}", reason.as_ref()))
}

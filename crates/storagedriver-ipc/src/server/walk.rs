//! A walk as a call.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::future::BoxFuture;
use futures_util::{Stream, StreamExt};
use storagedriver::{FileInfo, Result, StoragePath, Walk, WalkKey, WalkOptions, WalkOrder};
use tokio::sync::Mutex;
use tonic::{Status, Streaming};

use super::call::{Call, broken};
use super::entries::Batch;
use crate::convert::file_info_message;
use crate::proto::walk_request::Step;
use crate::proto::{self, WalkReply, WalkRequest, WalkStart};

/// Answers a walk from its `start` on.
pub(super) async fn walk(call: Call, mut requests: Streaming<WalkRequest>) -> Result<Entries, Status> {
    let Some(Step::Start(start)) = requests.message().await?.and_then(|request| request.step) else {
        return Err(broken("a walk has to begin with `start`"));
    };
    let options = options(&call, &start)?;
    let walk = call.run(call.storage.walk(&start.path, options.clone())).await?;
    Ok(Entries {
        call,
        requests: Some(requests),
        start: start.path,
        options,
        credit: start.credit,
        walk: Arc::new(Mutex::new(walk)),
        work: Work::None,
        last: None,
        failure: None,
    })
}

fn options(call: &Call, start: &WalkStart) -> Result<WalkOptions, Status> {
    let mut options = WalkOptions::new();
    options.order = match start.order() {
        proto::WalkOrder::Key => WalkOrder::Key,
        proto::WalkOrder::Tree => WalkOrder::Tree,
        proto::WalkOrder::Unspecified => {
            return Err(broken(format!("the order {} of a walk is none", start.order)));
        }
    };
    if start.start_after.is_empty() {
        return Ok(options);
    }
    let key: WalkKey = start.start_after.parse().map_err(|error| call.status(&error))?;
    Ok(options.after(key))
}

/// What is under way. It owns what it needs, so that it goes on where it was, whatever comes in between.
enum Work {
    None,
    Next(BoxFuture<'static, Result<Option<FileInfo>>>),
    Open(BoxFuture<'static, Result<Walk>>),
    Over,
}

/// The entries of a walk, in batches.
pub(super) struct Entries {
    call: Call,
    /// What the host says on the way; `None` when it has said all.
    requests: Option<Streaming<WalkRequest>>,
    start: String,
    options: WalkOptions,
    /// How many entries may still be sent.
    credit: u64,
    /// Locked by `Work::Next` alone.
    walk: Arc<Mutex<Walk>>,
    work: Work,
    /// The entry that was read last.
    last: Option<StoragePath>,
    /// Comes after what was read before it.
    failure: Option<Status>,
}

impl Entries {
    fn poll_requests(&mut self, context: &mut Context<'_>) -> Result<(), Status> {
        while let Some(requests) = &mut self.requests {
            match requests.poll_next_unpin(context) {
                Poll::Pending => return Ok(()),
                Poll::Ready(None) => self.requests = None,
                Poll::Ready(Some(request)) => match request?.step {
                    Some(Step::More(more)) => self.credit = self.credit.saturating_add(more.credit),
                    Some(Step::Skip(skip)) => {
                        let path = StoragePath::parse(&skip.path);
                        self.skip(&path.map_err(|error| self.call.status(&error))?);
                    }
                    Some(Step::Start(_)) => return Err(broken("a walk begins once")),
                    // What a newer host says and this driver does not know.
                    None => {}
                },
            }
        }
        Ok(())
    }

    /// Leaves out what lies below `directory` and was not read yet. The host drops what was.
    fn skip(&mut self, directory: &StoragePath) {
        let Some(last) = &self.last else { return };
        let is_open = matches!(self.work, Work::None | Work::Next(_));
        if is_open && last == directory {
            // The step that is under way would lead into the directory.
            self.work = Work::None;
            if let Ok(mut walk) = self.walk.try_lock() {
                walk.skip_dir();
            }
        } else if !matches!(self.work, Work::Over) && last.is_within(directory) {
            let (storage, start) = (self.call.storage.clone(), self.start.clone());
            let options = self.options.clone().after(WalkKey::after_subtree(directory));
            self.work = Work::Open(Box::pin(async move { storage.walk(&start, options).await }));
        }
    }

    fn poll_entry(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<FileInfo>>> {
        loop {
            match &mut self.work {
                Work::None => {
                    let walk = self.walk.clone();
                    self.work = Work::Next(Box::pin(async move { walk.lock().await.next().await }));
                }
                Work::Next(next) => {
                    let entry = ready!(next.as_mut().poll(context));
                    self.work = if matches!(entry, Ok(Some(_))) { Work::None } else { Work::Over };
                    return Poll::Ready(entry);
                }
                Work::Open(walk) => match ready!(walk.as_mut().poll(context)) {
                    Ok(walk) => (self.walk, self.work) = (Arc::new(Mutex::new(walk)), Work::None),
                    Err(error) => {
                        self.work = Work::Over;
                        // It was there: nothing is left of it.
                        return Poll::Ready(if error.is_not_found() { Ok(None) } else { Err(error) });
                    }
                },
                Work::Over => return Poll::Ready(Ok(None)),
            }
        }
    }
}

impl Stream for Entries {
    type Item = Result<WalkReply, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Some(failure) = this.failure.take() {
            return Poll::Ready(Some(Err(failure)));
        }
        if let Err(status) = this.poll_requests(context) {
            this.work = Work::Over;
            return Poll::Ready(Some(Err(status)));
        }
        let mut batch = Batch::new();
        while this.credit > 0 && !batch.is_full() {
            match this.poll_entry(context) {
                Poll::Pending => break,
                Poll::Ready(Ok(Some(info))) => {
                    batch.push(file_info_message(&info));
                    this.credit -= 1;
                    this.last = Some(info.path().clone());
                }
                Poll::Ready(Ok(None)) => break,
                Poll::Ready(Err(error)) => {
                    this.failure = Some(this.call.status(&error));
                    break;
                }
            }
        }
        if !batch.is_empty() {
            return Poll::Ready(Some(Ok(WalkReply { entries: batch.take() })));
        }
        match this.failure.take() {
            Some(failure) => Poll::Ready(Some(Err(failure))),
            None if matches!(this.work, Work::Over) => Poll::Ready(None),
            None if this.credit == 0 && this.requests.is_none() => {
                this.work = Work::Over;
                Poll::Ready(Some(Err(broken("a walk without credit cannot go on"))))
            }
            None => Poll::Pending,
        }
    }
}

//! A walk by a driver.

use std::collections::VecDeque;
use std::sync::Arc;

use storagedriver::{DriverWalk, Error, FileInfo, Result, StoragePath, WalkOptions, WalkOrder, async_trait};
use tokio::sync::mpsc::UnboundedSender;
use tonic::Streaming;

use super::link::Link;
use super::queue::queue;
use crate::convert::file_info;
use crate::proto::walk_request::Step;
use crate::proto::{self, WalkMore, WalkReply, WalkRequest, WalkSkip, WalkStart};

/// How many entries a driver may be ahead: at first and after a skip, and at most. It doubles whenever so many were given out without a
/// skip.
const LEAST_AHEAD: u64 = 32;
const MOST_AHEAD: u64 = 8192;

pub(super) struct ExternalWalk {
    link: Arc<Link>,
    start: StoragePath,
    requests: UnboundedSender<WalkRequest>,
    replies: Streaming<WalkReply>,
    waiting: VecDeque<proto::FileInfo>,
    /// The directory that was given out last.
    last: Option<StoragePath>,
    /// What lies below is dropped.
    skipped: Option<StoragePath>,
    /// How many entries the driver may still send.
    credit: u64,
    ahead: u64,
    /// How many were given out since `ahead` was set.
    given: u64,
}

impl ExternalWalk {
    /// Begins a walk.
    ///
    /// # Errors
    /// What the driver answered, or `Unavailable`.
    pub(super) async fn start(link: Arc<Link>, path: &StoragePath, options: &WalkOptions) -> Result<Self> {
        let order = match options.order {
            WalkOrder::Key => proto::WalkOrder::Key,
            WalkOrder::Tree => proto::WalkOrder::Tree,
            _ => return Err(Error::unsupported(path, "the protocol has no such order")),
        };
        let (requests, queue) = queue();
        let start = WalkStart {
            path: path.as_str().to_owned(),
            order: order.into(),
            start_after: options.start_after.as_ref().map(ToString::to_string).unwrap_or_default(),
            credit: LEAST_AHEAD,
        };
        // The queue is ours: it takes what it is given.
        let _ = requests.send(WalkRequest { step: Some(Step::Start(start)) });
        let replies = link.reply(path, link.client().walk(queue).await).await?;
        Ok(ExternalWalk {
            link,
            start: path.clone(),
            requests,
            replies,
            waiting: VecDeque::new(),
            last: None,
            skipped: None,
            credit: LEAST_AHEAD,
            ahead: LEAST_AHEAD,
            given: 0,
        })
    }

    fn send(&self, step: Step) {
        // A driver that is gone shows in the next reply.
        let _ = self.requests.send(WalkRequest { step: Some(step) });
    }

    /// Gives credit, when half of what it may be ahead is used.
    fn give(&mut self) {
        if self.given >= self.ahead && self.ahead < MOST_AHEAD {
            self.ahead *= 2;
            self.given = 0;
        }
        let under_way = self.credit.saturating_add(self.waiting.len() as u64);
        if under_way <= self.ahead / 2 {
            let credit = self.ahead - under_way;
            self.credit += credit;
            self.send(Step::More(WalkMore { credit }));
        }
    }

    fn take_in(&mut self, reply: WalkReply) -> Result<()> {
        let came = reply.entries.len() as u64;
        let Some(credit) = self.credit.checked_sub(came) else {
            return Err(Error::backend(
                &self.start,
                "the driver broke the protocol: it sent more entries than it may",
            ));
        };
        self.credit = credit;
        self.waiting.extend(reply.entries);
        Ok(())
    }

    fn is_skipped(&mut self, path: &str) -> bool {
        let Some(skipped) = &self.skipped else { return false };
        let below = is_below(path, skipped);
        if !below {
            self.skipped = None;
        }
        below
    }
}

/// Whether the text is a path below the directory.
fn is_below(path: &str, directory: &StoragePath) -> bool {
    path.strip_prefix(directory.as_str()).is_some_and(|rest| rest.starts_with('/'))
}

#[async_trait]
impl DriverWalk for ExternalWalk {
    async fn next(&mut self) -> Result<Option<FileInfo>> {
        loop {
            while let Some(entry) = self.waiting.pop_front() {
                self.give();
                if self.is_skipped(&entry.path) {
                    continue;
                }
                let info = file_info(entry)?;
                complete(&info)?;
                self.given += 1;
                self.last = info.is_dir().then(|| info.path().clone());
                return Ok(Some(info));
            }
            self.give();
            match self.replies.message().await {
                Ok(Some(reply)) => self.take_in(reply)?,
                Ok(None) => return Ok(None),
                Err(status) => return Err(self.link.error(&self.start, &status).await),
            }
        }
    }

    fn skip_dir(&mut self) {
        let Some(directory) = self.last.take() else { return };
        self.ahead = LEAST_AHEAD;
        self.given = 0;
        // The driver is past it already: it need not know.
        if self.waiting.back().is_none_or(|entry| is_below(&entry.path, &directory)) {
            self.send(Step::Skip(WalkSkip { path: directory.as_str().to_owned() }));
        }
        self.skipped = Some(directory);
    }
}

/// Checks that a file has what `stat` and `walk` have to tell.
///
/// # Errors
/// `Backend`: the driver broke the protocol.
pub(super) fn complete(info: &FileInfo) -> Result<()> {
    if info.is_file() && (info.size().is_none() || info.modified().is_none()) {
        let reason = "the driver broke the protocol: it sent a file without its size or time";
        return Err(Error::backend(info.path(), reason));
    }
    Ok(())
}

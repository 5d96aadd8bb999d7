//! Content on its way from a driver.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use storagedriver::{Content, Error, ReadOptions, Result, StoragePath, Version};
use tonic::{Response, Status, Streaming};

use super::link::Link;
use crate::proto::{ContentHead, ContentReply};

/// The most that is set aside for content on the word of its head alone.
const TRUSTED: u64 = 16 * 1024 * 1024;

/// The replies of one read.
pub(super) struct Pieces {
    link: Arc<Link>,
    path: StoragePath,
    replies: Streaming<ContentReply>,
    /// What came with the head.
    first: Option<Bytes>,
    /// How many bytes are still to come.
    left: u64,
}

impl Pieces {
    /// Waits for the head.
    ///
    /// # Errors
    /// What the driver answered, or `Unavailable`.
    pub(super) async fn open(
        link: Arc<Link>,
        path: &StoragePath,
        reply: Result<Response<Streaming<ContentReply>>, Status>,
    ) -> Result<(ContentHead, Self)> {
        let mut replies = link.reply(path, reply).await?;
        let first = match replies.message().await {
            Ok(first) => first,
            Err(status) => return Err(link.error(path, &status).await),
        };
        let Some(ContentReply { head: Some(head), data }) = first else {
            return Err(Error::backend(
                path,
                "the driver broke the protocol: the first reply of a read has no head",
            ));
        };
        let left = head.size;
        Ok((head, Pieces { link, path: path.clone(), replies, first: Some(data), left }))
    }

    /// The next piece, none of them empty; `None` at the end.
    ///
    /// # Errors
    /// `Corrupted` if more or fewer bytes come than were said; what the driver answered; `Unavailable`.
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let data = match self.first.take() {
                Some(first) => first,
                None => match self.replies.message().await {
                    Ok(Some(reply)) => reply.data,
                    Ok(None) if self.left == 0 => return Ok(None),
                    Ok(None) => return Err(self.corrupted(format!("{} bytes fewer", self.left))),
                    Err(status) => return Err(self.link.error(&self.path, &status).await),
                },
            };
            self.left = match self.left.checked_sub(data.len() as u64) {
                Some(left) => left,
                None => return Err(self.corrupted("more bytes".to_owned())),
            };
            if !data.is_empty() {
                return Ok(Some(data));
            }
        }
    }

    fn corrupted(&self, what: String) -> Error {
        Error::corrupted(&self.path, format!("the driver sent {what} than it said the content has"))
    }

    /// All of it. One piece is not copied.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub(super) async fn collect(mut self) -> Result<Bytes> {
        let whole = usize::try_from(self.left.min(TRUSTED)).unwrap_or_default();
        let Some(first) = self.next().await? else {
            return Ok(Bytes::new());
        };
        let Some(second) = self.next().await? else {
            return Ok(first);
        };
        let mut all = BytesMut::with_capacity(whole);
        all.extend_from_slice(&first);
        all.extend_from_slice(&second);
        while let Some(piece) = self.next().await? {
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }

    /// As content of which `options` were asked for.
    ///
    /// # Errors
    /// `InvalidOffset` if the driver did not refuse an offset past the end.
    pub(super) fn content(mut self, head: ContentHead, options: &ReadOptions) -> Result<Content> {
        let Some(range) = options.range(head.size) else {
            return Err(Error::invalid_offset(&self.path, options.offset, Some(head.size)));
        };
        self.left = range.end - range.start;
        let stream = futures_util::stream::try_unfold(self, |mut pieces| async move {
            Ok(pieces.next().await?.map(|piece| (piece, pieces)))
        });
        let content = Content::new(head.size, stream);
        Ok(match head.version {
            Some(version) => content.with_version(Version::new(version)),
            None => content,
        })
    }
}

//! The pieces of work, the same for every subject.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::subject::{Outcome, Subject};

/// What a server hands on at a time, in bytes.
const PIECE: u64 = 1 << 20;

/// One piece of work: `count` operations of `size` bytes by so many workers.
pub(crate) struct Work {
    pub(crate) kind: String,
    pub(crate) count: u64,
    pub(crate) size: u64,
    pub(crate) workers: u64,
    pub(crate) from: String,
    pub(crate) to: String,
}

impl Work {
    pub(crate) async fn run(self, subject: &Arc<dyn Subject>) -> Outcome {
        let content = content(self.size.min(PIECE))?;
        match self.kind.as_str() {
            "put" => {
                self.each(subject, move |subject, from, index| {
                    let content = content.clone();
                    Box::pin(async move { subject.put(&blob(&from, index), content).await })
                })
                .await
            }
            "put-flat" => {
                self.each(subject, move |subject, from, index| {
                    let content = content.clone();
                    Box::pin(async move { subject.put(&format!("{from}/f{index:06}"), content).await })
                })
                .await
            }
            "get" => {
                let size = self.size;
                self.each(subject, move |subject, from, index| {
                    Box::pin(async move { expect(size, subject.get(&blob(&from, index)).await?) })
                })
                .await
            }
            "upload" => subject.upload(&self.from, content, self.size / PIECE).await,
            "download" => expect(self.size, subject.download(&self.from).await?),
            "rename" => subject.rename(&self.from, &self.to).await,
            "list" => expect(self.size, subject.list(&self.from).await?),
            "walk" => expect(self.size, subject.walk(&self.from).await?),
            "delete" => subject.delete(&self.from).await,
            "registry-upload" => {
                for index in 0..self.count {
                    let (from, to) = (format!("{}/{index}/data", self.from), blob(&self.to, index));
                    subject.registry_upload(&from, &to, content.clone()).await?;
                }
                Ok(())
            }
            other => Err(format!("no work `{other}`").into()),
        }
    }

    /// Does `one` for each index; each worker takes the next.
    async fn each<F>(&self, subject: &Arc<dyn Subject>, one: F) -> Outcome
    where
        F: Fn(Arc<dyn Subject>, String, u64) -> BoxFuture<'static, Outcome> + Send + Sync + 'static,
    {
        let (one, next) = (Arc::new(one), Arc::new(AtomicU64::new(0)));
        let workers: Vec<_> = (0..self.workers)
            .map(|_| {
                let (one, next, subject) = (one.clone(), next.clone(), subject.clone());
                let (from, count) = (self.from.clone(), self.count);
                tokio::spawn(async move {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        if index >= count {
                            return Outcome::Ok(());
                        }
                        one(subject.clone(), from.clone(), index).await?;
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.await??;
        }
        Ok(())
    }
}

/// Where the blob of a number lies, in the layout of a registry. Spread as digests are.
fn blob(below: &str, index: u64) -> String {
    let half = format!("{:016x}", index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let (shard, _) = half.split_at(2);
    format!("{below}/{shard}/{half}{half}{half}{half}/data")
}

fn content(size: u64) -> Outcome<Bytes> {
    let size = usize::try_from(size)?;
    Ok((0..=250_u8).cycle().take(size).collect::<Vec<u8>>().into())
}

fn expect(expected: u64, found: u64) -> Outcome {
    if found == expected { Ok(()) } else { Err(format!("{found} in place of {expected}").into()) }
}

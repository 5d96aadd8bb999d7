//! What a live store can do, found by trying it: for `storagedriver check`.
//!
//! Each probe asks the store for what a [`Feature`] needs, whatever the [`Description`] says, and the
//! findings tell where the two differ. All objects lie below one scratch prefix and are gone
//! afterwards.

use std::sync::Arc;

use bytes::Bytes;
use storagedriver::{ErrorKind, Finding, Outcome, Result, StoragePath, Version};

use crate::engine::Engine;
use crate::pages::Pages;
use crate::{
    Condition, Cursor, Description, ListRequest, ObjectStoreBackend, Part, PutOptions, StoreError,
    StoreResult,
};

/// Something that one flat store has and another lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Feature {
    /// A put can demand the version that it replaces, or that there is none.
    ConditionalPut,
    /// Completing an upload can demand the same.
    ConditionalComplete,
    /// A copy can demand the version of its source.
    ConditionalCopy,
    /// A delete can demand the version that it removes.
    ConditionalDelete,
    /// A listing can start after any key.
    StartAfter,
    /// Listings are in byte order of the keys.
    ByteOrder,
    /// One request deletes several objects.
    BatchDelete,
    /// Multipart uploads.
    Multipart,
    /// Parts of one upload may differ in size.
    UnequalParts,
    /// A part can be a range of another object.
    CopyPart,
    /// The store lists its open multipart uploads.
    ListsUploads,
}

impl Feature {
    /// In a few words.
    pub fn as_str(self) -> &'static str {
        match self {
            Feature::ConditionalPut => "conditional puts",
            Feature::ConditionalComplete => "conditional ends of uploads",
            Feature::ConditionalCopy => "conditional copies",
            Feature::ConditionalDelete => "conditional deletes",
            Feature::StartAfter => "listings from any key",
            Feature::ByteOrder => "listings in byte order",
            Feature::BatchDelete => "deletes of several objects",
            Feature::Multipart => "multipart uploads",
            Feature::UnequalParts => "parts of different sizes",
            Feature::CopyPart => "copies of ranges to parts",
            Feature::ListsUploads => "listing of open uploads",
        }
    }

    /// Whether the description says that the store has it.
    pub fn is_stated(self, description: &Description) -> bool {
        match self {
            Feature::ConditionalPut => description.conditional_put,
            Feature::ConditionalComplete => description.conditional_complete,
            Feature::ConditionalCopy => description.conditional_copy,
            Feature::ConditionalDelete => description.conditional_delete,
            Feature::StartAfter => description.start_after,
            Feature::ByteOrder => description.byte_order,
            Feature::BatchDelete => description.delete_batch > 1,
            Feature::Multipart => description.multipart,
            Feature::UnequalParts => !description.same_size_parts,
            Feature::CopyPart => description.copy_part,
            Feature::ListsUploads => description.lists_uploads,
        }
    }
}

/// No object has this version.
const NO_VERSION: &str = "\"00000000000000000000000000000000\"";

/// Runs every probe.
pub(crate) async fn examine<B: ObjectStoreBackend>(
    engine: &Arc<Engine<B>>,
    scratch: &StoragePath,
) -> Result<Vec<Finding>> {
    let probe = Probe { backend: &engine.backend, prefix: format!("{}/", engine.keys.file(scratch)) };
    // What every driver needs: without it the probes mean nothing.
    probe.put("seed").await.map_err(|error| error.at(scratch))?;
    let found = probe.all(engine.description()).await;
    let swept = sweep(engine, scratch, &probe.prefix).await;
    let mut findings: Vec<Finding> = found
        .iter()
        .map(|(feature, seen)| {
            let (outcome, detail) = match seen {
                Ok(true) => (Outcome::Yes, String::new()),
                Ok(false) => (Outcome::No, String::new()),
                Err(error) => (Outcome::Unknown, shown(error)),
            };
            Finding::new(feature.as_str(), outcome)
                .with_detail(detail)
                .against(feature.is_stated(engine.description()))
        })
        .collect();
    swept?;
    let known: Vec<(Feature, bool)> =
        found.iter().filter_map(|(feature, seen)| Some((*feature, *seen.as_ref().ok()?))).collect();
    let suggestion = engine.backend.suggest(&known);
    if suggestion.is_none() {
        // What no parameter would put to use is nothing to mend.
        let unused =
            findings.iter_mut().filter(|finding| finding.is_surprise && finding.outcome == Outcome::Yes);
        for finding in unused {
            finding.is_surprise = false;
            finding.detail = "the driver does not use it".to_owned();
        }
    }
    findings.extend(suggestion);
    Ok(findings)
}

fn shown(error: &StoreError) -> String {
    match error {
        StoreError::Failed(failure) => failure.reason().to_owned(),
        StoreError::NotFound => "the store found nothing where something is".to_owned(),
        other => format!("{other:?}"),
    }
}

async fn sweep<B: ObjectStoreBackend>(
    engine: &Arc<Engine<B>>,
    scratch: &StoragePath,
    prefix: &str,
) -> Result<()> {
    if engine.description().lists_uploads {
        // Where the store cannot do that although it is said to, a probe has told so.
        for open in engine.backend.open_uploads(prefix).await.unwrap_or_default() {
            engine.backend.abort(&open.key, &open.id).await.map_err(|error| error.at(scratch))?;
        }
    }
    let mut pages = Pages::new(engine, prefix.to_owned(), false);
    while let Some(names) = pages.next().await.map_err(|error| error.at(scratch))? {
        let keys: Vec<String> = names.into_iter().map(|name| name.key).collect();
        // One by one: whether the store can delete several is what was to be found out.
        for key in &keys {
            engine.delete_keys(scratch, std::slice::from_ref(key)).await?;
        }
    }
    Ok(())
}

/// Whether the store has it; an error is neither yes nor no.
type Seen = StoreResult<bool>;

struct Probe<'a, B> {
    backend: &'a B,
    prefix: String,
}

/// A demand that cannot be met: refused where the store has the feature, and done where it ignores
/// the demand.
fn refused<T>(outcome: StoreResult<T>) -> Seen {
    match outcome {
        Err(StoreError::Precondition) => Ok(true),
        Ok(_) => Ok(false),
        Err(error) => lacking(error),
    }
}

/// Whether the error says that the store has no such thing.
fn lacking(error: StoreError) -> Seen {
    match &error {
        StoreError::Failed(failure) if failure.kind() == ErrorKind::Unsupported => Ok(false),
        _ => Err(error),
    }
}

fn worked<T>(outcome: StoreResult<T>) -> Seen {
    outcome.map_or_else(lacking, |_| Ok(true))
}

impl<B: ObjectStoreBackend> Probe<'_, B> {
    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    async fn put(&self, name: &str) -> StoreResult<Version> {
        self.backend.put(&self.key(name), Bytes::from_static(b"check"), &PutOptions::default()).await
    }

    async fn all(&self, description: &Description) -> Vec<(Feature, Seen)> {
        let mut found = vec![
            (Feature::ConditionalPut, self.conditional_put().await),
            (Feature::ConditionalCopy, self.conditional_copy().await),
            (Feature::ConditionalDelete, self.conditional_delete().await),
            (Feature::StartAfter, self.start_after().await),
            (Feature::ByteOrder, self.byte_order().await),
            (Feature::BatchDelete, self.batch_delete().await),
        ];
        let multipart = self.multipart().await;
        let has_parts = matches!(multipart, Ok(true));
        found.push((Feature::Multipart, multipart));
        if has_parts {
            found.push((Feature::ListsUploads, self.lists_uploads().await));
            found.push((Feature::UnequalParts, self.unequal_parts(description).await));
            found.push((Feature::CopyPart, self.copy_part(description).await));
            found.push((Feature::ConditionalComplete, self.conditional_complete().await));
        }
        found
    }

    async fn conditional_put(&self) -> Seen {
        self.put("put").await?;
        let options = PutOptions { condition: Some(Condition::Absent), mark: None };
        if !refused(self.backend.put(&self.key("put"), Bytes::new(), &options).await)? {
            return Ok(false);
        }
        let options =
            PutOptions { condition: Some(Condition::Matches(Version::new(NO_VERSION))), mark: None };
        refused(self.backend.put(&self.key("put"), Bytes::new(), &options).await)
    }

    async fn conditional_copy(&self) -> Seen {
        self.put("copy").await?;
        let stale = Version::new(NO_VERSION);
        refused(self.backend.copy(&self.key("copy"), &self.key("copied"), Some(&stale)).await)
    }

    async fn conditional_delete(&self) -> Seen {
        self.put("delete").await?;
        let stale = Version::new(NO_VERSION);
        if !refused(self.backend.delete_version(&self.key("delete"), &stale).await)? {
            return Ok(false);
        }
        // A store that says so and deletes all the same.
        match self.backend.head(&self.key("delete")).await {
            Ok(_) => Ok(true),
            Err(StoreError::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn names(&self, below: &str, cursor: Cursor) -> StoreResult<Vec<String>> {
        let request = ListRequest { prefix: self.key(below), delimiter: false, cursor, limit: 100 };
        let page = self.backend.list(&request).await?;
        let prefix = self.key(below);
        let name = |key: String| key.strip_prefix(&prefix).map(str::to_owned);
        Ok(page.objects.into_iter().filter_map(|object| name(object.key)).collect())
    }

    async fn start_after(&self) -> Seen {
        for name in ["after/a", "after/b", "after/c"] {
            self.put(name).await?;
        }
        // Between two keys, not at one: a marker of an earlier page would be a key.
        match self.names("after/", Cursor::After(self.key("after/a~"))).await {
            Ok(names) => Ok(names == ["b", "c"]),
            Err(error) => lacking(error),
        }
    }

    async fn byte_order(&self) -> Seen {
        // Few enough for one page.
        let ordered = ["-", "B", "a", "a-b", "a/b", "a0"];
        for name in ordered.iter().rev() {
            self.put(&format!("order/{name}")).await?;
        }
        Ok(self.names("order/", Cursor::Start).await? == ordered)
    }

    async fn batch_delete(&self) -> Seen {
        self.put("batch/a").await?;
        self.put("batch/b").await?;
        match self.backend.delete(&[self.key("batch/a"), self.key("batch/b")]).await {
            Ok(()) => Ok(self.names("batch/", Cursor::Start).await?.is_empty()),
            // Whatever the store calls it: two keys it does not take.
            Err(StoreError::Failed(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Sends parts and completes the upload, or aborts it.
    async fn upload(&self, name: &str, parts: &[Bytes], condition: Option<&Condition>) -> StoreResult<()> {
        let key = self.key(name);
        let id = self.backend.begin_upload(&key, "check").await?;
        let sent = async {
            let mut done = Vec::new();
            for (number, content) in (1..).zip(parts) {
                let tag = self.backend.put_part(&key, &id, number, content.clone()).await?;
                done.push(Part { number, tag, size: content.len() as u64 });
            }
            self.backend.complete(&key, &id, &done, condition).await
        };
        let sent = sent.await;
        if sent.is_err() {
            let _ = self.backend.abort(&key, &id).await;
        }
        sent.map(drop)
    }

    async fn multipart(&self) -> Seen {
        worked(self.upload("parts", &[Bytes::from_static(b"one part")], None).await)
    }

    async fn lists_uploads(&self) -> Seen {
        let key = self.key("open");
        let id = self.backend.begin_upload(&key, "check").await?;
        let listed = self.backend.open_uploads(&self.prefix).await;
        let _ = self.backend.abort(&key, &id).await;
        match listed {
            Ok(open) => Ok(open.iter().any(|open| open.key == key && open.id == id)),
            Err(error) => lacking(error),
        }
    }

    async fn unequal_parts(&self, description: &Description) -> Seen {
        let Ok(least) = usize::try_from(description.min_part) else { return Ok(true) };
        let parts = [zeros(least), zeros(least.saturating_add(1)), zeros(1)];
        match self.upload("unequal", &parts, None).await {
            Ok(()) => Ok(true),
            Err(StoreError::Failed(failure)) if failure.is_final() => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn copy_part(&self, description: &Description) -> Seen {
        let Ok(least) = usize::try_from(description.min_part) else { return Ok(true) };
        self.backend.put(&self.key("source"), zeros(least), &PutOptions::default()).await?;
        let source = self.backend.head(&self.key("source")).await?;
        let key = self.key("assembled");
        let id = self.backend.begin_upload(&key, "check").await?;
        let copied = self.backend.copy_part(&key, &id, 1, &source, 0..source.size).await;
        let _ = self.backend.abort(&key, &id).await;
        match copied {
            Ok(_) => Ok(true),
            Err(StoreError::Failed(failure)) if failure.is_final() => Ok(false),
            Err(error) => lacking(error),
        }
    }

    async fn conditional_complete(&self) -> Seen {
        self.put("complete").await?;
        let parts = [Bytes::from_static(b"one part")];
        refused(self.upload("complete", &parts, Some(&Condition::Absent)).await)
    }
}

fn zeros(length: usize) -> Bytes {
    Bytes::from(vec![0; length])
}

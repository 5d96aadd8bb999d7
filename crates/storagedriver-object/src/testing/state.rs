//! What the store holds.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use storagedriver::Version;
use tokio::time::Instant;

use crate::{
    Condition, Cursor, Description, ListRequest, Object, OpenUpload, Page, Part, PutOptions, StoreError,
    StoreResult,
};

#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) object: Object,
    pub(super) content: Bytes,
}

#[derive(Debug)]
struct Multipart {
    key: String,
    mark: String,
    started: SystemTime,
    parts: BTreeMap<u32, (String, Bytes)>,
}

/// A multipart upload that is being completed.
#[derive(Debug)]
struct Completing {
    due: Instant,
    key: String,
    id: String,
    content: Bytes,
    mark: String,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) objects: BTreeMap<String, Held>,
    uploads: BTreeMap<String, Multipart>,
    last: u64,
    /// How long a completion takes.
    pub(super) completion: Duration,
    completing: Vec<Completing>,
}

impl State {
    /// Does what is due by now.
    pub(super) fn catch_up(&mut self) {
        let now = Instant::now();
        let (due, later) = std::mem::take(&mut self.completing)
            .into_iter()
            .partition(|upload: &Completing| upload.due <= now);
        self.completing = later;
        for upload in due {
            let options = PutOptions { condition: None, mark: Some(upload.mark) };
            let _ = self.put(&upload.key, upload.content, &options);
            self.uploads.remove(&upload.id);
        }
    }

    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    pub(super) fn held(&self, key: &str) -> StoreResult<&Held> {
        self.objects.get(key).ok_or(StoreError::NotFound)
    }

    fn check(&self, key: &str, condition: Option<&Condition>) -> StoreResult<()> {
        let version = self.objects.get(key).map(|held| &held.object.version);
        match condition {
            None => Ok(()),
            Some(Condition::Absent) if version.is_none() => Ok(()),
            Some(Condition::Matches(wanted)) if version == Some(wanted) => Ok(()),
            Some(Condition::Matches(_)) if version.is_none() => Err(StoreError::NotFound),
            Some(_) => Err(StoreError::Precondition),
        }
    }

    pub(super) fn put(&mut self, key: &str, content: Bytes, options: &PutOptions) -> StoreResult<Version> {
        self.check(key, options.condition.as_ref())?;
        let number = self.next();
        // Each later than all before it, also where the clock stands still.
        let modified = SystemTime::now() + Duration::from_nanos(number);
        let version = Version::new(format!("v{number}"));
        let object = Object {
            key: key.to_owned(),
            size: content.len() as u64,
            modified,
            version: version.clone(),
            mark: options.mark.clone(),
        };
        self.objects.insert(key.to_owned(), Held { object, content });
        Ok(version)
    }

    pub(super) fn begin(&mut self, key: &str, mark: &str) -> String {
        let id = format!("upload-{}", self.next());
        let upload = Multipart {
            key: key.to_owned(),
            mark: mark.to_owned(),
            started: SystemTime::now(),
            parts: BTreeMap::new(),
        };
        self.uploads.insert(id.clone(), upload);
        id
    }

    pub(super) fn put_part(&mut self, id: &str, number: u32, content: Bytes) -> StoreResult<String> {
        let tag = format!("part-{}", self.next());
        let upload = self.uploads.get_mut(id).ok_or(StoreError::NoSuchUpload)?;
        upload.parts.insert(number, (tag.clone(), content));
        Ok(tag)
    }

    pub(super) fn complete(
        &mut self,
        description: &Description,
        (key, id): (&str, &str),
        parts: &[Part],
        condition: Option<&Condition>,
    ) -> StoreResult<Version> {
        let upload =
            self.uploads.get(id).filter(|upload| upload.key == key).ok_or(StoreError::NoSuchUpload)?;
        let bad = |reason: String| Err(StoreError::failed(storagedriver::ErrorKind::Backend, reason));
        let mut content = BytesMut::new();
        let first = parts.first().map_or(0, |part| part.size);
        for (place, part) in parts.iter().enumerate() {
            let last = place + 1 == parts.len();
            let Some((_, bytes)) = upload.parts.get(&part.number).filter(|(tag, _)| *tag == part.tag) else {
                return bad(format!("part {} is not what was sent", part.number));
            };
            if !last
                && (part.size < description.min_part || description.same_size_parts && part.size != first)
            {
                return bad(format!("part {} has {} bytes", part.number, part.size));
            }
            if parts.get(place + 1).is_some_and(|next| next.number <= part.number) {
                return bad("the parts do not ascend".to_owned());
            }
            content.extend_from_slice(bytes);
        }
        if !description.stray_parts && parts.len() < upload.parts.len() {
            return bad(format!("{} parts were sent and {} are named", upload.parts.len(), parts.len()));
        }
        if parts.is_empty() {
            return bad("no parts".to_owned());
        }
        let mark = upload.mark.clone();
        if !self.completion.is_zero() {
            self.check(key, condition)?;
            // Until then its parts are of no use to another.
            self.uploads.entry(id.to_owned()).and_modify(|upload| upload.parts.clear());
            let (due, content) = (Instant::now() + self.completion, content.freeze());
            self.completing.push(Completing { due, key: key.to_owned(), id: id.to_owned(), content, mark });
            return Err(StoreError::failed(storagedriver::ErrorKind::Unavailable, "it takes its time"));
        }
        let options = PutOptions { condition: condition.cloned(), mark: Some(mark) };
        let version = self.put(key, content.freeze(), &options)?;
        self.uploads.remove(id);
        Ok(version)
    }

    pub(super) fn grow_older(&mut self, by: Duration) {
        let objects = self.objects.values_mut().map(|held| &mut held.object.modified);
        for time in objects.chain(self.uploads.values_mut().map(|upload| &mut upload.started)) {
            *time -= by;
        }
    }

    pub(super) fn abort(&mut self, id: &str) {
        self.uploads.remove(id);
    }

    pub(super) fn open_uploads(&self, prefix: &str) -> Vec<OpenUpload> {
        let open = self.uploads.iter().filter(|(_, upload)| upload.key.starts_with(prefix));
        open.map(|(id, upload)| OpenUpload {
            key: upload.key.clone(),
            id: id.clone(),
            started: upload.started,
        })
        .collect()
    }

    pub(super) fn list(&self, description: &Description, request: &ListRequest) -> Page {
        let mut names: BTreeMap<String, Option<Object>> = BTreeMap::new();
        for (key, held) in &self.objects {
            let Some(rest) = key.strip_prefix(&request.prefix) else { continue };
            match rest.find('/').filter(|_| request.delimiter) {
                Some(slash) => {
                    let rolled = rest.get(..=slash).unwrap_or_default();
                    names.insert(format!("{}{rolled}", request.prefix), None);
                }
                None => {
                    let object = Object { mark: None, ..held.object.clone() };
                    names.insert(key.clone(), Some(object));
                }
            }
        }
        let mut names: Vec<(String, Option<Object>)> = names.into_iter().collect();
        let place = |name: &str| -> Vec<u8> {
            if description.byte_order { name.bytes().collect() } else { name.bytes().rev().collect() }
        };
        names.sort_by_key(|(name, _)| place(name));
        let start = match &request.cursor {
            Cursor::Start => 0,
            Cursor::After(_) if !description.start_after => 0,
            Cursor::After(after) => names.iter().take_while(|(name, _)| name <= after).count(),
            // Also where the name that it was is gone.
            Cursor::Marker(marker) => {
                names.iter().take_while(|(name, _)| place(name) <= place(marker)).count()
            }
        };
        let limit = request.limit.min(description.page).max(1);
        let mut page = Page::default();
        for (name, object) in names.iter().skip(start).take(limit) {
            match object {
                Some(object) => page.objects.push(object.clone()),
                None => page.prefixes.push(name.clone()),
            }
            page.next = Some(name.clone());
        }
        if names.len() <= start + limit {
            page.next = None;
        }
        page
    }
}

pub(super) fn slice(content: &Bytes, range: Range<u64>) -> StoreResult<Bytes> {
    let size = content.len() as u64;
    if range.start >= size {
        return Err(StoreError::Range(Some(size)));
    }
    let at = |offset: u64| usize::try_from(offset.min(size)).unwrap_or(content.len());
    Ok(content.slice(at(range.start)..at(range.end)))
}

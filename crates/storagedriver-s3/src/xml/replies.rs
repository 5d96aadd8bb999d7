//! Bodies of replies, as far as they are needed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use percent_encoding::percent_decode_str;
use storagedriver::Version;
use storagedriver_object::http::{Refusal, StatusCode};
use storagedriver_object::{Object, OpenUpload};

use super::Element;
use crate::refusals::status_of;

/// One page of a listing.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) objects: Vec<Object>,
    pub(crate) prefixes: Vec<String>,
    pub(crate) truncated: bool,
    /// `NextContinuationToken` or `NextMarker`, as the store writes it.
    pub(crate) next: Option<String>,
    /// The greatest name of the page, skipped ones included.
    pub(crate) last: Option<String>,
}

/// One page of open uploads.
#[derive(Debug, Default)]
pub(crate) struct Uploads {
    pub(crate) uploads: Vec<OpenUpload>,
    pub(crate) truncated: bool,
    pub(crate) next_key: Option<String>,
    pub(crate) next_id: Option<String>,
}

/// What became of the keys of a batch.
#[derive(Debug, Default)]
pub(crate) struct DeletedKeys {
    pub(crate) deleted: Vec<String>,
    /// Key and refusal.
    pub(crate) failed: Vec<(String, Refusal)>,
}

/// The root of a reply of success. An error inside it is the refusal that it is; anything that is
/// not a document of that name is not understood.
fn root(body: &[u8], name: &str) -> Result<Element, Refusal> {
    match Element::parse(body) {
        Some(root) if root.name == name => Ok(root),
        Some(root) if root.name == "Error" => Err(failure(&root)),
        _ => Err(Refusal::unreadable(format!("the body is no whole {name}"))),
    }
}

/// A refusal from the element that tells of it, its status by its code.
pub(crate) fn failure(error: &Element) -> Refusal {
    let text = |name| error.value(name).map(str::to_owned);
    let mut refusal = Refusal::new(status_of(error.value("Code").unwrap_or_default()));
    refusal.code = text("Code");
    refusal.message = text("Message");
    refusal.request_id = text("RequestId");
    refusal
}

/// A key as a listing tells it. With `url_encoding` it is percent-encoded; stores disagree on
/// whether a `+` is a space then, and the prefix that was asked for settles it.
pub(crate) fn decode_key(text: &str, url_encoding: bool, prefix: &str) -> Option<String> {
    if !url_encoding {
        return Some(text.to_owned());
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?.into_owned();
    if decoded.starts_with(prefix) {
        return Some(decoded);
    }
    Some(percent_decode_str(text).decode_utf8().ok()?.into_owned())
}

/// Reads a page of either version. A name that cannot be read is left out and does no harm to the
/// others.
pub(crate) fn listing(body: &[u8], url_encoding: bool, prefix: &str) -> Result<Listing, Refusal> {
    let root = root(body, "ListBucketResult")?;
    // A store that was not asked for an encoding, or does not know it, does not say that it uses one.
    let url_encoding = url_encoding && root.value("EncodingType") == Some("url");
    let mut page = Listing { truncated: root.value("IsTruncated") == Some("true"), ..Listing::default() };
    page.next = root.value("NextContinuationToken").map(str::to_owned);
    if page.next.is_none() {
        page.next = root.value("NextMarker").and_then(|marker| decode_key(marker, url_encoding, prefix));
    }
    let mut count = 0_usize;
    let decode = |text| decode_key(text, url_encoding, prefix);
    for entry in root.children("Contents") {
        count += 1;
        let Some(key) = entry.value("Key").and_then(decode) else { continue };
        page.last = page.last.take().max(Some(key.clone()));
        let size = entry.value("Size").and_then(|size| size.parse().ok());
        let modified = entry.value("LastModified").and_then(time);
        let version = entry.value("ETag").map(etag);
        let (Some(size), Some(modified), Some(version)) = (size, modified, version) else {
            return Err(Refusal::unreadable(format!("the listing tells no size, time or ETag of {key:?}")));
        };
        page.objects.push(Object { key, size, modified, version, mark: None });
    }
    for entry in root.children("CommonPrefixes") {
        count += 1;
        let Some(name) = entry.value("Prefix").and_then(decode) else { continue };
        page.last = page.last.take().max(Some(name.clone()));
        page.prefixes.push(name);
    }
    match root.value("KeyCount").and_then(|told| told.parse::<usize>().ok()) {
        // Some do not count prefixes.
        Some(told) if told > count => {
            Err(Refusal::unreadable(format!("the listing counts {told} names and has {count}")))
        }
        _ => Ok(page),
    }
}

/// Reads a page of `ListMultipartUploads`.
pub(crate) fn uploads(body: &[u8], url_encoding: bool, prefix: &str) -> Result<Uploads, Refusal> {
    let root = root(body, "ListMultipartUploadsResult")?;
    let url_encoding = url_encoding && root.value("EncodingType") == Some("url");
    let decode = |text| decode_key(text, url_encoding, prefix);
    let mut page = Uploads {
        truncated: root.value("IsTruncated") == Some("true"),
        next_key: root.value("NextKeyMarker").and_then(decode),
        next_id: root.value("NextUploadIdMarker").map(str::to_owned),
        ..Uploads::default()
    };
    for entry in root.children("Upload") {
        let Some(key) = entry.value("Key").and_then(decode) else { continue };
        let Some(id) = entry.value("UploadId") else {
            return Err(Refusal::unreadable(format!("the listing tells no id of an upload of {key:?}")));
        };
        // Without a time it passes for new, and is left alone.
        let started = entry.value("Initiated").and_then(time).unwrap_or_else(SystemTime::now);
        page.uploads.push(OpenUpload { key, id: id.to_owned(), started });
    }
    Ok(page)
}

/// Reads what became of a batch.
pub(crate) fn deleted(body: &[u8]) -> Result<DeletedKeys, Refusal> {
    let root = root(body, "DeleteResult")?;
    let key = |entry: &Element| entry.value("Key").map(str::to_owned);
    let deleted = root.children("Deleted").filter_map(key).collect();
    let failed = root
        .children("Error")
        .map(|entry| (entry.value("Key").unwrap_or_default().to_owned(), failure(entry)))
        .collect();
    Ok(DeletedKeys { deleted, failed })
}

/// The tag of what a copy made: `CopyObjectResult` or `CopyPartResult`.
pub(crate) fn written_part(body: &[u8], name: &str) -> Result<String, Refusal> {
    let root = root(body, name)?;
    let tag = root.value("ETag").map(|tag| etag(tag).to_string());
    tag.ok_or_else(|| Refusal::unreadable("the copy has no ETag"))
}

/// The version that a completed upload became. Ceph 16 leaves it out the first time that it is asked;
/// by the rule of S3 it is `composed` then, if the parts have tags that it can be made of.
pub(crate) fn completed(body: &[u8], composed: Option<Version>) -> Result<Version, Refusal> {
    let root = root(body, "CompleteMultipartUploadResult")?;
    let told = root.value("ETag").map(etag);
    told.or(composed).ok_or_else(|| Refusal::unreadable("what was completed has no ETag"))
}

/// The id of an upload that was begun.
pub(crate) fn begun(body: &[u8]) -> Result<String, Refusal> {
    let root = root(body, "InitiateMultipartUploadResult")?;
    let id = root.value("UploadId").map(str::to_owned);
    id.ok_or_else(|| Refusal::unreadable("what was begun has no id"))
}

/// An ETag as headers have it: with its quotes. Some stores leave them out of XML.
pub(crate) fn etag(text: &str) -> Version {
    let bare = text.trim().trim_start_matches("W/").trim_matches('"');
    Version::new(format!("\"{bare}\""))
}

/// A time as XML has it.
fn time(text: &str) -> Option<SystemTime> {
    let time: jiff::Timestamp = text.parse().ok()?;
    let nanos = u64::try_from(time.as_nanosecond()).ok()?;
    UNIX_EPOCH.checked_add(Duration::from_nanos(nanos))
}

impl DeletedKeys {
    /// Whether all of so many keys are gone; if not, the refusal of the first that is not. Absent is as
    /// good as deleted.
    pub(crate) fn check(self, asked: usize) -> Result<(), Refusal> {
        let told = self.deleted.len().saturating_add(self.failed.len());
        for (key, mut refusal) in self.failed {
            if !refusal.is(&["NoSuchKey"]) {
                let said = refusal.message.take().unwrap_or_default();
                refusal.message = Some(format!("{said} (key {key:?})"));
                return Err(refusal);
            }
        }
        if told >= asked {
            return Ok(());
        }
        let mut refusal = Refusal::new(StatusCode::INTERNAL_SERVER_ERROR);
        refusal.message = Some(format!("the reply tells of {told} of {asked} keys"));
        Err(refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: &str = "<ListBucketResult xmlns='x'><EncodingType>url</EncodingType>\
        <CommonPrefixes><Prefix>r/d%2F</Prefix></CommonPrefixes>\
        <Contents><Key>r/a</Key><LastModified>2024-01-02T03:04:05.678Z</LastModified>\
        <ETag>&quot;e1&quot;</ETag><Size>3</Size></Contents>\
        <CommonPrefixes><Prefix>r/e%01%2F</Prefix></CommonPrefixes>\
        <Contents><Size>0</Size><ETag>e2</ETag><Key>r/b+c</Key><LastModified>2024-01-02T03:04:05Z\
        </LastModified></Contents>\
        <Contents><Key>r/%FF</Key></Contents>\
        <IsTruncated>true</IsTruncated><NextContinuationToken>t=</NextContinuationToken>\
        <KeyCount>5</KeyCount></ListBucketResult>";

    #[test]
    fn a_listing_is_read_in_any_order() {
        let page = listing(LISTING.as_bytes(), true, "r/").unwrap();
        let keys: Vec<_> = page.objects.iter().map(|object| object.key.as_str()).collect();
        assert_eq!(keys, ["r/a", "r/b c"]);
        assert_eq!(page.prefixes, ["r/d/", "r/e\u{1}/"]);
        assert_eq!((page.truncated, page.next.as_deref()), (true, Some("t=")));
        let object = page.objects.first().unwrap();
        assert_eq!((object.size, object.version.as_str()), (3, "\"e1\""));
        let age = object.modified.duration_since(UNIX_EPOCH).unwrap();
        assert_eq!(age, Duration::from_millis(1_704_164_645_678));
        assert_eq!(page.objects.get(1).unwrap().version.as_str(), "\"e2\"");
    }

    #[test]
    fn a_plus_is_what_the_prefix_makes_it() {
        assert_eq!(decode_key("a+b/c", true, "a+b/").as_deref(), Some("a+b/c"));
        assert_eq!(decode_key("a+b/c", true, "a b/").as_deref(), Some("a b/c"));
        assert_eq!(decode_key("a%2Bb", true, "a").as_deref(), Some("a+b"));
        assert_eq!(decode_key("a%2Bb", false, "a").as_deref(), Some("a%2Bb"));
    }

    #[test]
    fn a_listing_that_is_cut_or_counts_more_than_it_has_is_not_believed() {
        assert!(listing(&LISTING.as_bytes()[..LISTING.len() - 3], true, "r/").is_err());
        assert!(listing(LISTING.replace("<KeyCount>5", "<KeyCount>6").as_bytes(), true, "r/").is_err());
        assert!(listing(b"", true, "").is_err() && listing(b"<html></html>", true, "").is_err());
        assert!(listing(b"<ListBucketResult></ListBucketResult>", true, "").unwrap().objects.is_empty());
    }

    #[test]
    fn an_error_in_a_success_is_one() {
        let body = b"<Error><Code>SlowDown</Code><Message>less</Message><RequestId>r1</RequestId></Error>";
        let refusal = written_part(body, "CopyObjectResult").unwrap_err();
        assert_eq!((refusal.status.as_u16(), refusal.code.as_deref()), (503, Some("SlowDown")));
        assert_eq!(refusal.request_id.as_deref(), Some("r1"));
        assert!(written_part(b"", "CopyObjectResult").unwrap_err().is_transient());
        assert!(written_part(b"<CopyObjectResult/>", "CopyObjectResult").is_err());
        let body = b"<CopyPartResult><ETag>\"t\"</ETag></CopyPartResult>";
        assert_eq!(written_part(body, "CopyPartResult").unwrap(), "\"t\"");
    }

    #[test]
    fn a_batch_is_done_when_the_reply_tells_of_every_key() {
        let reply =
            |inner: &str| deleted(format!("<DeleteResult>{inner}</DeleteResult>").as_bytes()).unwrap();
        let gone = "<Deleted><Key>a</Key></Deleted>";
        assert!(reply(gone).check(1).is_ok());
        assert!(reply(gone).check(2).unwrap_err().is_transient());
        assert!(reply("").check(1).is_err());
        let absent = "<Error><Key>b</Key><Code>NoSuchKey</Code></Error>";
        assert!(reply(&format!("{gone}{absent}")).check(2).is_ok());
        let denied = "<Error><Key>b</Key><Code>AccessDenied</Code><Message>no</Message></Error>";
        let refusal = reply(&format!("{denied}{gone}")).check(2).unwrap_err();
        assert_eq!((refusal.status.as_u16(), refusal.message.as_deref()), (403, Some("no (key \"b\")")));
        assert!(deleted(b"").is_err());
    }

    #[test]
    fn open_uploads_are_read() {
        let body = b"<ListMultipartUploadsResult><Upload><Key>a</Key><UploadId>u1</UploadId>\
            <Initiated>2024-01-02T03:04:05.000Z</Initiated></Upload><IsTruncated>true</IsTruncated>\
            <NextKeyMarker>a</NextKeyMarker><NextUploadIdMarker>u1</NextUploadIdMarker>\
            </ListMultipartUploadsResult>";
        let page = uploads(body, false, "").unwrap();
        assert_eq!(page.uploads.first().map(|upload| upload.id.as_str()), Some("u1"));
        assert_eq!(
            (page.truncated, page.next_key.as_deref(), page.next_id.as_deref()),
            (true, Some("a"), Some("u1"))
        );
    }
}

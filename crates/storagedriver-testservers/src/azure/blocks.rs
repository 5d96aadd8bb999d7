//! Blocks. Those that were not committed belong to the name of the blob, whoever sent them.

use std::collections::BTreeMap;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::blobs::{BLOB_TYPE, blob, check_md5, check_type, created, described};
use super::conditions::{check_source, check_write, container};
use super::place::Place;
use super::refusal::{Answer, Refused};
use super::service::Service;
use crate::call::{Call, Outgoing, byte_range, http_date};
use crate::store::{Content, StoredPart};
use crate::xml;

/// The most blocks at a name that were not committed.
const MAX_UNCOMMITTED: usize = 100_000;

impl Service {
    pub(super) fn put_block(&self, call: &Call, place: &Place) -> Answer {
        let content = match call.header("x-ms-copy-source") {
            None => {
                check_md5(call)?;
                Content::from(call.body.clone())
            }
            Some(source) => self.content_at(call, source)?,
        };
        if content.size() == 0 {
            return Err(Refused::header("Content-Length"));
        }
        let id = call.parameter("blockid").unwrap_or_default().to_owned();
        if STANDARD.decode(&id).map_or(true, |decoded| decoded.is_empty() || decoded.len() > 64) {
            return Err(Refused::parameter("blockid"));
        }
        let mut state = self.store.lock();
        let found = container(&mut state, &place.container)?;
        let current = found.objects.get(&place.blob);
        check_type(current, "BlockBlob")?;
        self.check_pending(place)?;
        let committed = current.and_then(|current| current.blocks.first()).map(|(id, _)| id.len());
        let blocks = found.blocks.entry(place.blob.clone()).or_default();
        let length = blocks.keys().next().map(String::len).or(committed);
        if length.is_some_and(|length| length != id.len()) {
            let message = "The specified blob or block content is invalid.";
            return Err(Refused::bad("InvalidBlobOrBlock", message));
        }
        if blocks.len() >= MAX_UNCOMMITTED && !blocks.contains_key(&id) {
            let message = "The uncommitted block count cannot exceed the maximum limit of 100,000 blocks.";
            return Err(Refused::conflict("BlockCountExceedsLimit", message));
        }
        let part = StoredPart { content, etag: String::new(), modified: SystemTime::now() };
        blocks.insert(id, part);
        Ok(Outgoing::new(StatusCode::CREATED).with("x-ms-request-server-encrypted", "true"))
    }

    /// The content of a block that is a range of another blob. The service reads it by the source's
    /// own proof: a signature in its URL, or a token beside it.
    fn content_at(&self, call: &Call, source: &str) -> Answer<Content> {
        if !self.options.block_from_url {
            return Err(Refused::not_implemented());
        }
        let place = self.source(call, source, true)?;
        let mut state = self.store.lock();
        let found = blob(&mut state, &place).map_err(|_| super::copies::unreadable())?;
        check_source(call, &found)?;
        let size = found.content.size();
        let range = byte_range(call.header("x-ms-source-range"), size).map_err(|_| Refused::range(size))?;
        Ok(match range {
            None => found.content,
            Some(range) => found.content.slice(range),
        })
    }

    pub(super) fn put_block_list(&self, call: &Call, place: &Place) -> Answer {
        let chosen = read_list(&call.body)
            .ok_or_else(|| Refused::bad("InvalidXmlDocument", "XML specified is not syntactically valid."))?;
        if chosen.len() > self.options.max_blocks {
            let message = "The committed block count cannot exceed the maximum limit of 50,000 blocks.";
            return Err(Refused::bad("BlockListTooLong", message));
        }
        let mut state = self.store.lock();
        let found = container(&mut state, &place.container)?;
        let current = found.objects.get(&place.blob);
        check_write(call, current)?;
        check_type(current, "BlockBlob")?;
        self.check_pending(place)?;
        let none = BTreeMap::new();
        let uncommitted = found.blocks.get(&place.blob).unwrap_or(&none);
        let committed: BTreeMap<&str, &Content> = current
            .map(|current| current.blocks.iter().map(|(id, content)| (id.as_str(), content)).collect())
            .unwrap_or_default();
        let mut draft = described(call);
        draft.properties.remove("content-type");
        if let Some(kind) = call.header("x-ms-blob-content-type") {
            draft.properties.insert("content-type".to_owned(), kind.to_owned());
        }
        for (list, id) in chosen {
            let new = uncommitted.get(&id).map(|block| &block.content);
            let old = committed.get(id.as_str()).copied();
            let content = match list {
                List::Latest => new.or(old),
                List::Uncommitted => new,
                List::Committed => old,
            };
            let content = content
                .ok_or_else(|| Refused::bad("InvalidBlockList", "The specified block list is invalid."))?;
            draft.content.extend(content);
            draft.blocks.push((id, content.clone()));
        }
        draft.properties.insert(BLOB_TYPE.to_owned(), "BlockBlob".to_owned());
        Ok(created(&self.publish(&mut state, place, draft)?))
    }

    pub(super) fn get_block_list(&self, call: &Call, place: &Place) -> Answer {
        let kind = call.parameter("blocklisttype").unwrap_or("committed").to_lowercase();
        let mut state = self.store.lock();
        let found = container(&mut state, &place.container)?;
        let current = found.objects.get(&place.blob);
        check_type(current, "BlockBlob")?;
        let uncommitted = found.blocks.get(&place.blob);
        if current.is_none() && uncommitted.is_none() {
            return Err(Refused::no_blob());
        }
        let entry = |id: &str, content: &Content| {
            let size = content.size().to_string();
            format!("<Block>{}{}</Block>", xml::element("Name", id), xml::element("Size", &size))
        };
        let mut text = String::new();
        if kind == "committed" || kind == "all" {
            text += "<CommittedBlocks>";
            for (id, content) in current.map(|current| current.blocks.as_slice()).unwrap_or_default() {
                text += &entry(id, content);
            }
            text += "</CommittedBlocks>";
        }
        if kind == "uncommitted" || kind == "all" {
            text += "<UncommittedBlocks>";
            for (id, block) in uncommitted.into_iter().flatten() {
                text += &entry(id, &block.content);
            }
            text += "</UncommittedBlocks>";
        }
        let mut reply = Outgoing::ok().xml(&format!("<BlockList>{text}</BlockList>"));
        if let Some(current) = current {
            reply = reply
                .with("etag", format!("\"{}\"", current.etag))
                .with("last-modified", http_date(current.modified))
                .with("x-ms-blob-content-length", current.content.size().to_string());
        }
        Ok(reply)
    }
}

/// Where a block of a list is to be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Latest,
    Uncommitted,
    Committed,
}

/// The entries of a list, in their order.
fn read_list(body: &[u8]) -> Option<Vec<(List, String)>> {
    let mut reader = Reader::from_reader(body);
    let mut chosen = Vec::new();
    let mut open: Option<(List, String)> = None;
    let mut seen = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => match start.name().as_ref() {
                b"BlockList" => seen = true,
                b"Latest" => open = Some((List::Latest, String::new())),
                b"Uncommitted" => open = Some((List::Uncommitted, String::new())),
                b"Committed" => open = Some((List::Committed, String::new())),
                _ => return None,
            },
            Event::Text(text) => {
                if let Some((_, id)) = &mut open {
                    id.push_str(std::str::from_utf8(&text).ok()?.trim());
                }
            }
            Event::End(_) => chosen.extend(open.take()),
            Event::Empty(start) => seen |= start.name().as_ref() == b"BlockList",
            Event::Eof => return seen.then_some(chosen),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_keep_their_order() {
        let text = b"<?xml version=\"1.0\"?><BlockList><Latest>MQ==</Latest><Committed> Mg== </Committed>\
            <Uncommitted>Mw==</Uncommitted></BlockList>";
        let expected = [(List::Latest, "MQ=="), (List::Committed, "Mg=="), (List::Uncommitted, "Mw==")];
        assert_eq!(read_list(text).unwrap(), expected.map(|(list, id)| (list, id.to_owned())));
        assert_eq!(read_list(b"<BlockList />"), Some(Vec::new()));
        assert!(read_list(b"<BlockList><Other/></BlockList>").is_some_and(|list| list.is_empty()));
        assert!(read_list(b"nothing").is_none());
    }
}

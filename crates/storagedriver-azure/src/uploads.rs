//! Uploads: blocks gathered at a blob of their own, which is copied to its key when it is whole.
//!
//! Blocks that are not committed belong to the name that they were sent for, and whatever is put
//! there throws them away. At the final key a put, a commit or a delete of one writer would end
//! the uploads of all others; beside it each upload has a name that nobody else writes to.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use ring::rand::{SecureRandom, SystemRandom};
use storagedriver::{ErrorKind, Version};
use storagedriver_object::{Condition, Part, StoreError, StoreResult};

use crate::client::Client;
use crate::copy::Patience;
use crate::xml;

/// The id of an upload: `<mark>.<own>`.
pub(crate) fn begin(mark: &str) -> StoreResult<String> {
    let mut random = [0_u8; 8];
    SystemRandom::new()
        .fill(&mut random)
        .map_err(|_| StoreError::failed(ErrorKind::Backend, "the system has no random numbers"))?;
    Ok(format!("{mark}.{:016x}", u64::from_be_bytes(random)))
}

/// Where the blocks of an upload are, and its mark.
fn staged<'a>(client: &Client, key: &str, id: &'a str) -> StoreResult<(String, &'a str)> {
    let (mark, own) = id.rsplit_once('.').ok_or(StoreError::NoSuchUpload)?;
    Ok((client.location.staged(key, mark, own), mark))
}

/// Of one length, as all ids of one blob must be.
fn block_id(number: u32) -> String {
    BASE64_STANDARD.encode(format!("{number:09}"))
}

/// Sends a part. An empty one is none: there are no empty blocks.
pub(crate) async fn put_part(
    client: &Client,
    key: &str,
    id: &str,
    number: u32,
    content: Bytes,
) -> StoreResult<String> {
    if content.is_empty() {
        return Ok(String::new());
    }
    let block = block_id(number);
    client.put_block(&staged(client, key, id)?.0, &block, content).await?;
    Ok(block)
}

pub(crate) async fn complete(
    client: &Client,
    (key, id): (&str, &str),
    parts: &[Part],
    condition: Option<&Condition>,
    patience: &Patience,
) -> StoreResult<Version> {
    let (blocks, mark) = staged(client, key, id)?;
    let list = xml::block_list(parts.iter().map(|part| part.tag.as_str()).filter(|tag| !tag.is_empty()));
    let gathered = client.put_block_list(&blocks, list, mark).await?;
    let published = match client.copy((&blocks, Some(&gathered)), key, condition, patience).await {
        Ok(version) => version,
        Err(error) => match client.head(key).await {
            // It was copied, and the answer lost: a second attempt is refused then.
            Ok(blob) if blob.object.mark.as_deref() == Some(mark) => blob.whole()?.version,
            _ if matches!(error, StoreError::NotFound | StoreError::Precondition) => {
                return Err(refused(client, &blocks, &gathered).await);
            }
            _ => return Err(error),
        },
    };
    client.delete(&blocks, None).await?;
    Ok(published)
}

/// Why the blocks were not copied: they are gone, or what they were to replace is.
async fn refused(client: &Client, blocks: &str, gathered: &Version) -> StoreError {
    match client.head(blocks).await {
        Ok(blob) if blob.object.version == *gathered => StoreError::Precondition,
        Ok(_) | Err(StoreError::NotFound) => StoreError::NoSuchUpload,
        Err(error) => error,
    }
}

/// Ends an upload. Blocks that were never committed cannot be deleted, only replaced.
pub(crate) async fn abort(client: &Client, key: &str, id: &str) -> StoreResult<()> {
    let (blocks, _) = staged(client, key, id)?;
    client.put_blob(&blocks, Bytes::new(), None, None).await?;
    client.delete(&blocks, None).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_uploads_and_blocks() {
        let (one, two) = (begin("mark").unwrap(), begin("mark").unwrap());
        assert!(one != two && one.starts_with("mark.") && !one.contains(' '), "{one}");
        let lengths: Vec<usize> = [1, 77, 50_000].map(|n| block_id(n).len()).to_vec();
        assert!(lengths.windows(2).all(|pair| pair[0] == pair[1]), "{lengths:?}");
    }
}

//! A little of everything that a registry does: what comes out wrong on a store whose quirks a driver does not know.

use storagedriver::{BoxError, Storage, WalkOptions, WriteMode};

use crate::vendors::PART;

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, found: T, wanted: T) -> Result<(), BoxError> {
    if found == wanted { Ok(()) } else { Err(format!("{what}: {found:?} in place of {wanted:?}").into()) }
}

/// Puts, uploads and resumes, copies whole and in parts, lists and walks over several pages, deletes.
pub(crate) async fn everything(storage: &Storage) -> Result<(), BoxError> {
    storage.put_content("/a/put", "content").await?;
    let content: Vec<u8> = (0..11 * PART + 5).map(|place| (place % 251) as u8).collect();
    let (first, rest) = content.split_at(5 * PART as usize + 77);
    let mut writer = storage.writer("/a/upload", WriteMode::Create).await?;
    writer.write(first.to_vec()).await?;
    writer.close().await?;
    let mut writer = storage.writer("/a/upload", WriteMode::Append).await?;
    equal("the size of what was closed", writer.size(), first.len() as u64)?;
    writer.write(rest.to_vec()).await?;
    writer.commit().await?;
    storage.rename("/a/put", "/b/put").await?;
    storage.rename("/a/upload", "/b/upload").await?;
    equal("what was put", &storage.get_content("/b/put").await?[..], b"content")?;
    equal("whether what was uploaded is whole", storage.get_content("/b/upload").await? == content, true)?;
    equal("what was uploaded and then renamed is gone", storage.exists("/a").await?, false)?;
    let mut names: Vec<String> = (0..25).map(|number| format!("/d/{}{number}", number % 7)).collect();
    for name in &names {
        storage.put_content(name, "x").await?;
    }
    storage.put_content("/d-sibling", "x").await?;
    names.sort();
    let listed: Vec<String> = storage.list("/d").await?.iter().map(|info| info.path().to_string()).collect();
    equal("the list", &listed, &names)?;
    let after = storage.stat(&names[9]).await?.key();
    let mut walk = storage.walk("/d", WalkOptions::new().after(after)).await?;
    let mut walked = Vec::new();
    while let Some(info) = walk.next().await? {
        walked.push(info.path().to_string());
    }
    equal("the walk after the tenth", &walked[..], &names[10..])?;
    let mut writer = storage.writer("/d/open", WriteMode::Create).await?;
    writer.write(first.to_vec()).await?;
    writer.close().await?;
    equal("how many uploads are open", storage.uploads("/").await?.len(), 1)?;
    storage.delete("/d").await?;
    equal("whether what was deleted is there", storage.exists("/d").await?, false)?;
    equal("whether its sibling is there", storage.exists("/d-sibling").await?, true)?;
    equal("how many uploads were left", storage.uploads("/").await?.len(), 0)
}

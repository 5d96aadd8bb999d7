//! What operations cost in requests, for backends that state it.

use storagedriver::{RedirectRequest, Result, Storage, WriteMode};

/// How many requests each operation made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Costs {
    /// `put_content`.
    pub put: usize,
    /// `get_content`.
    pub get: usize,
    /// `stat` of a file.
    pub stat_of_file: usize,
    /// `stat` of a directory.
    pub stat_of_directory: usize,
    /// `stat` of what is not there.
    pub stat_of_nothing: usize,
    /// `redirect_url`.
    pub redirect: usize,
    /// `Create`, `write` and `commit` of seven bytes.
    pub small_upload: usize,
    /// What a registry does with a blob of 192 KiB: create and close, three times append 64 KiB and close, append
    /// and commit, rename.
    pub registry_upload: usize,
    /// `rename` of a small file.
    pub rename: usize,
    /// `delete` of a file.
    pub delete_of_file: usize,
}

impl Costs {
    /// What they cost on the object engine of `storagedriver-object`, with a store that has everything.
    pub const OBJECT_ENGINE: Costs = Costs {
        put: 1,
        get: 1,
        stat_of_file: 1,
        stat_of_directory: 2,
        stat_of_nothing: 2,
        redirect: 0,
        small_upload: 2,
        registry_upload: 20,
        rename: 4,
        delete_of_file: 4,
    };
}

/// Does each of them once below `/costs`, and asks `requests` after each how many there were since it was asked
/// last.
///
/// # Errors
/// The first that an operation gives, but for what is not there.
pub async fn costs(storage: &Storage, mut requests: impl FnMut() -> usize) -> Result<Costs> {
    requests();
    storage.put_content("/costs/a", "content").await?;
    let put = requests();
    storage.get_content("/costs/a").await?;
    let get = requests();
    storage.stat("/costs/a").await?;
    let stat_of_file = requests();
    storage.stat("/costs").await?;
    let stat_of_directory = requests();
    storage.exists("/costs/absent").await?;
    let stat_of_nothing = requests();
    storage.redirect_url(&RedirectRequest::get(), "/costs/a").await?;
    let redirect = requests();
    let mut writer = storage.writer("/costs/b", WriteMode::Create).await?;
    writer.write("content").await?;
    writer.commit().await?;
    let small_upload = requests();
    storage.writer("/costs/up/data", WriteMode::Create).await?.close().await?;
    for _ in 0..3 {
        let mut writer = storage.writer("/costs/up/data", WriteMode::Append).await?;
        writer.write(vec![7; 64 << 10]).await?;
        writer.close().await?;
    }
    storage.writer("/costs/up/data", WriteMode::Append).await?.commit().await?;
    storage.rename("/costs/up/data", "/costs/blob").await?;
    let registry_upload = requests();
    storage.rename("/costs/b", "/costs/c").await?;
    let rename = requests();
    storage.delete("/costs/c").await?;
    let delete_of_file = requests();
    storage.delete("/costs").await?;
    requests();
    Ok(Costs {
        put,
        get,
        stat_of_file,
        stat_of_directory,
        stat_of_nothing,
        redirect,
        small_upload,
        registry_upload,
        rename,
        delete_of_file,
    })
}

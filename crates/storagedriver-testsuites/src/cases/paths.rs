//! Which paths there are, and what a path is.

use storagedriver::{ErrorKind, Operation, Storage, StoragePath, WalkOptions, WriteMode};

use crate::fixture::{
    Fixture, close_upload, each_operation, expect_absent, expect_content, expect_no_upload, list_paths,
    pattern, put_all, refused, walk_keys,
};
use crate::{Checked, Mismatch, ensure, ensure_eq};

/// What breaks the grammar.
const INVALID: &[&str] = &[
    "",
    "abc",
    "123.abc",
    "//bcd",
    "/abc_123/",
    "/a//b",
    "//",
    "/.",
    "/..",
    "/../x",
    "/a/../b",
    "/a/./b",
    "/a/..",
    "/a b",
    "/a\\b",
    "/a\0b",
    "/a\nb",
    "/~",
    "/a~",
    "/a:b",
    "/a%2Fb",
    "/é",
    "/a?b",
    "/a#b",
    "/a*",
    " /a",
    "/a ",
    "./a",
    "../a",
];

/// Unusual, and valid.
const UNUSUAL: &[&str] = &[
    "/...",
    "/....",
    "/.a",
    "/a.",
    "/..a",
    "/a..",
    "/-",
    "/--",
    "/-rf",
    "/_",
    "/__",
    "/0",
    "/_uploads",
    "/.tmp",
    "/.x.tmp",
    "/x.partial",
    "/.hidden/.hidden",
    "/con",
    "/nul.txt",
    "/lost.found",
    "/A-Z.z_9",
    "/.../...",
];

pub(super) async fn accepts_valid_paths(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let paths = [
        "/a",
        "/2",
        "/aa",
        "/a.a",
        "/0-9/abcdefg",
        "/abcdefg/z.75",
        "/abc/1.2.3.4.5-6_zyx/123.z/4",
        "/docker/docker-registry",
        "/123.abc",
        "/abc./abc",
        "/.abc",
        "/a--b",
        "/a-.b",
        "/_.abc",
        "/Docker2/docker-registry",
        "/Abcd/Cba",
    ];
    put_all(storage, &paths).await?;
    for path in paths {
        expect_content(storage, path, path.as_bytes()).await?;
    }
    Ok(())
}

pub(super) async fn accepts_unusual_names(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    // `/...` cannot be a file and a directory on every driver, so each has a directory of its own.
    for (place, name) in UNUSUAL.iter().enumerate() {
        let directory = format!("/d{place}");
        let path = format!("{directory}{name}");
        storage.put_content(&path, name.to_string()).await?;
        expect_content(storage, &path, name.as_bytes()).await?;
        let first = StoragePath::parse(name)?.components().next().unwrap_or_default().to_owned();
        ensure_eq!(list_paths(storage, &directory).await?, [format!("{directory}/{first}")], "the list");
        let keys = walk_keys(storage, &directory, WalkOptions::new()).await?;
        ensure_eq!(keys.last(), Some(&path), "the last entry of the walk");
        storage.rename(&path, "/elsewhere").await?;
        storage.rename("/elsewhere", &path).await?;
        close_upload(storage, &path, &pattern(1, 3)).await?;
        storage.delete(&path).await?;
        expect_absent(storage, &directory).await?;
    }
    expect_no_upload(storage, "/").await?;
    Ok(())
}

pub(super) async fn refuses_invalid_paths(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for path in INVALID {
        for (operation, result) in each_operation(storage, path).await {
            let error = refused(result, ErrorKind::InvalidPath)
                .map_err(|mismatch| Mismatch::new(format!("{operation} of {path:?}: {mismatch:?}")))?;
            ensure_eq!(error.path(), Some(*path), "the path in the error of {operation}");
        }
    }
    ensure_eq!(list_paths(storage, "/").await?, Vec::<String>::new(), "what refused operations left behind");
    expect_no_upload(storage, "/").await?;
    Ok(())
}

pub(super) async fn refuses_the_root_where_a_name_is_needed(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    storage.put_content("/kept", "content").await?;
    for (operation, result) in each_operation(storage, "/").await {
        match operation {
            Operation::Walk | Operation::Stat | Operation::List | Operation::Uploads => result?,
            _ => {
                refused(result, ErrorKind::InvalidPath)
                    .map_err(|mismatch| Mismatch::new(format!("{operation} of the root: {mismatch:?}")))?;
            }
        }
    }
    expect_content(storage, "/kept", b"content").await?;
    Ok(())
}

pub(super) async fn never_normalises(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let paths = ["/a", "/A", "/a.", "/a_", "/a-", "/.a", "/dir/File", "/dir/file", "/DIR/file", "/Dir/file"];
    put_all(storage, &paths).await?;
    for path in paths {
        expect_content(storage, path, path.as_bytes()).await?;
    }
    storage.delete("/a").await?;
    storage.delete("/dir").await?;
    for path in ["/A", "/a.", "/a_", "/a-", "/.a", "/DIR/file", "/Dir/file"] {
        expect_content(storage, path, path.as_bytes()).await?;
    }
    Ok(())
}

/// Every operation once, on a path that must be accepted.
async fn use_path(storage: &Storage, path: &str) -> Result<(), Mismatch> {
    let content = pattern(7, 100);
    let parent = StoragePath::parse(path)?.parent().unwrap_or_else(StoragePath::root);
    storage.put_content(path, content.clone()).await?;
    expect_content(storage, path, &content).await?;
    ensure_eq!(list_paths(storage, parent.as_str()).await?, [path.to_owned()], "the list of the parent");
    let keys = walk_keys(storage, "/", WalkOptions::new()).await?;
    ensure!(keys.iter().any(|key| key == path), "the walk does not yield the path");
    storage.rename(path, "/elsewhere").await?;
    expect_absent(storage, path).await?;
    storage.rename("/elsewhere", path).await?;
    storage.delete(path).await?;
    close_upload(storage, path, &content).await?;
    ensure_eq!(storage.uploads(path).await?.len(), 1, "the uploads at the path");
    let mut writer = storage.writer(path, WriteMode::Append).await?;
    writer.write("more").await?;
    writer.commit().await?;
    expect_content(storage, path, &[&content[..], b"more"].concat()).await?;
    storage.writer(path, WriteMode::Create).await?.cancel().await?;
    storage.delete(path).await?;
    expect_absent(storage, path).await
}

/// Every operation refuses the path, and says the limit.
async fn refuse_path(storage: &Storage, path: &str, limit: usize) -> Result<(), Mismatch> {
    for (operation, result) in each_operation(storage, path).await {
        let error = refused(result, ErrorKind::InvalidPath)
            .map_err(|mismatch| Mismatch::new(format!("{operation}, {} bytes: {mismatch:?}", path.len())))?;
        ensure!(
            error.to_string().contains(&limit.to_string()),
            "the error does not say the limit {limit}: {error}"
        );
    }
    Ok(())
}

pub(super) async fn keeps_the_longest_component(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let limits = storage.limits();
    let component = limits.component.min(limits.path.saturating_sub(3));
    use_path(storage, &format!("/{}", "c".repeat(component))).await?;
    use_path(storage, &format!("/d/{}", "-".repeat(component))).await?;
    ensure!(component >= 255.min(limits.path), "a component may only have {component} bytes");
    Ok(())
}

pub(super) async fn refuses_a_longer_component(fixture: &Fixture) -> Checked {
    let limits = fixture.storage().limits();
    if limits.component < limits.path {
        refuse_path(fixture.storage(), &format!("/{}", "c".repeat(limits.component + 1)), limits.component)
            .await?;
        let above = format!("/{}/x", "c".repeat(limits.component + 1));
        refuse_path(fixture.storage(), &above, limits.component).await?;
    }
    Ok(())
}

/// A path of exactly this length.
fn path_of_length(length: usize, component: usize) -> String {
    let mut path = String::new();
    while path.len() < length {
        // A separator and at least one character must fit, and not leave one byte over.
        let room = (length - path.len() - 1).min(component);
        let room = if length - path.len() - 1 - room == 1 { room - 1 } else { room };
        path.push('/');
        path.push_str(&"p".repeat(room));
    }
    path
}

pub(super) async fn keeps_the_longest_path(fixture: &Fixture) -> Checked {
    let limits = fixture.storage().limits();
    let path = path_of_length(limits.path, limits.component);
    ensure_eq!(path.len(), limits.path, "the length of the path of this case");
    use_path(fixture.storage(), &path).await?;
    Ok(())
}

pub(super) async fn refuses_a_longer_path(fixture: &Fixture) -> Checked {
    let limits = fixture.storage().limits();
    refuse_path(fixture.storage(), &path_of_length(limits.path + 1, limits.component), limits.path).await?;
    Ok(())
}

pub(super) async fn nests_deeply(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    let depth = 60.min(storage.limits().path / 4);
    let directory = "/d".repeat(depth);
    let path = format!("{directory}/file");
    storage.put_content(&path, "deep").await?;
    expect_content(storage, &path, b"deep").await?;
    let mut above = StoragePath::parse(&directory)?;
    loop {
        ensure!(storage.stat(above.as_str()).await?.is_dir(), "{above} is not a directory");
        ensure_eq!(storage.list(above.as_str()).await?.len(), 1, "the children of {above}");
        match above.parent() {
            Some(parent) => above = parent,
            None => break,
        }
    }
    ensure_eq!(
        walk_keys(storage, "/", WalkOptions::tree()).await?.len(),
        depth + 1,
        "the entries of the walk"
    );
    storage.delete("/d").await?;
    expect_absent(storage, "/d").await?;
    Ok(())
}

pub(super) async fn the_root_always_exists(fixture: &Fixture) -> Checked {
    let storage = fixture.storage();
    for _ in 0..2 {
        let root = storage.stat("/").await?;
        ensure!(root.is_dir() && !root.is_file(), "the root is {:?}", root.kind());
        ensure_eq!(root.path().as_str(), "/", "the path in the stat of the root");
        ensure_eq!(root.size(), Some(0), "the size of the root");
        ensure!(storage.list("/").await?.is_empty(), "the list of the empty root is not empty");
        ensure_eq!(walk_keys(storage, "/", WalkOptions::new()).await?, Vec::<String>::new(), "the walk");
        expect_no_upload(storage, "/").await?;
        storage.put_content("/a/b", "x").await?;
        storage.stat("/").await?;
        storage.delete("/a").await?;
    }
    Ok(())
}

//! The requests, as they are sent.

use storagedriver::{ReadOptions, RedirectRequest, WalkOptions, WriteMode};

use crate::scripted::{Asked, KEY, Reply, Server};

/// A server on which every write succeeds and nothing is there.
async fn empty() -> Server {
    Server::start(|asked| match asked.method.as_str() {
        "PUT" if asked.header("x-ms-copy-source").is_some() => {
            Reply::blob(202).header("x-ms-copy-id", "1").header("x-ms-copy-status", "success")
        }
        "PUT" => Reply::blob(201),
        "GET" if asked.has("comp=list") => {
            Reply::new(200).body("<EnumerationResults><Blobs/></EnumerationResults>")
        }
        "GET" if asked.has("restype=account") => Reply::new(200),
        "DELETE" => Reply::new(202),
        _ => Reply::error(404, "BlobNotFound", ""),
    })
    .await
}

fn only(asked: &[Asked], wanted: impl Fn(&Asked) -> bool) -> &Asked {
    let found: Vec<&Asked> = asked.iter().filter(|asked| wanted(asked)).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0]
}

#[tokio::test]
async fn a_put_is_a_block_blob_in_the_layout_of_distribution() {
    for (more, path) in [
        (&[][..], "/registry/docker/registry/v2/x"),
        (&[("rootdirectory", "/")], "/registry/docker/registry/v2/x"),
        (&[("rootdirectory", "/some/root/")], "/registry/some/root/docker/registry/v2/x"),
        (&[("legacyrootprefix", "true")], "/registry//docker/registry/v2/x"),
        (&[("trimlegacyrootprefix", "false"), ("rootdirectory", "/r")], "/registry//r/docker/registry/v2/x"),
    ] {
        let server = empty().await;
        let storage = server.storage_with(&[&[("accountkey", KEY)], more].concat());
        storage.put_content("/docker/registry/v2/x", "content").await.unwrap();
        let asked = server.asked();
        let put = only(&asked, |asked| asked.method == "PUT");
        assert_eq!(put.target, path);
        assert_eq!(put.body, b"content");
        assert_eq!(put.header("x-ms-blob-type"), Some("BlockBlob"));
        assert_eq!(put.header("x-ms-version"), Some("2023-11-03"));
        assert_eq!(put.header("content-length"), Some("7"));
        assert!(put.header("authorization").unwrap().starts_with("SharedKey layers:"), "{put:?}");
        assert!(put.header("user-agent").unwrap().starts_with("storagedriver/"));
    }
}

#[tokio::test]
async fn urls_are_signed_for_one_blob() {
    let server = empty().await;
    let storage = server.storage();
    let url = storage.redirect_url(&RedirectRequest::get(), "/docker/x").await.unwrap().unwrap();
    assert_eq!(url.path(), "/registry/docker/x");
    let names: Vec<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["sv", "sr", "sp", "st", "se", "spr", "sig"]);
    let value = |wanted: &str| url.query_pairs().find(|(name, _)| name == wanted).unwrap().1.into_owned();
    assert_eq!((value("sr"), value("sp"), value("spr")), ("b".into(), "r".into(), "https,http".into()));
    assert!(storage.redirect_url(&RedirectRequest::new("HEAD"), "/docker/x").await.unwrap().is_some());
    assert!(storage.redirect_url(&RedirectRequest::new("PUT"), "/docker/x").await.unwrap().is_none());
    assert!(server.asked().is_empty(), "a redirect makes no request");
}

#[tokio::test]
async fn a_given_signature_is_sent_and_not_given_away() {
    let server = empty().await;
    let sas = "?sv=2023-11-03&sp=rwdl&sig=a%2Bb%2Fc%3D";
    let storage = server.storage_with(&[("sastoken", sas)]);
    assert!(storage.redirect_url(&RedirectRequest::get(), "/a").await.unwrap().is_none());
    storage.put_content("/a", "x").await.unwrap();
    let asked = server.asked();
    let put = only(&asked, |asked| asked.method == "PUT");
    assert!(put.has("sig=a%2Bb%2Fc%3D") && put.header("authorization").is_none(), "{put:?}");
}

/// The source of a copy is read with the same signature; with a key it needs none.
#[tokio::test]
async fn the_source_of_a_copy() {
    for (more, query) in [(("accountkey", KEY), ""), (("sastoken", "sv=1&sig=a%2Bb"), "?sv=1&sig=a%2Bb")] {
        let server = Server::start(|asked| match asked.method.as_str() {
            "HEAD" => Reply::blob(200).header("content-length", "1"),
            "PUT" => Reply::blob(202).header("x-ms-copy-id", "1").header("x-ms-copy-status", "success"),
            _ => Reply::new(202),
        })
        .await;
        server.storage_with(&[more]).rename("/from", "/to").await.unwrap();
        let asked = server.asked();
        let copy = only(&asked, |asked| asked.method == "PUT");
        let source = format!("{}/registry/from{query}", server.endpoint());
        assert_eq!(copy.header("x-ms-copy-source"), Some(source.as_str()));
        assert_eq!(copy.header("x-ms-source-if-match"), Some("\"0x1\""));
        let delete = only(&asked, |asked| asked.method == "DELETE");
        assert_eq!((delete.path(), delete.header("if-match")), ("/registry/from", Some("\"0x1\"")));
    }
}

#[tokio::test]
async fn blocks_are_gathered_beside_the_content() {
    let server = empty().await;
    let storage = server.storage_with(&[("accountkey", KEY), ("chunksize", "64 KiB")]);
    let mut writer = storage.writer("/a/b", WriteMode::Create).await.unwrap();
    writer.write(vec![7_u8; 150_000]).await.unwrap();
    writer.commit().await.unwrap();
    let asked = server.asked();
    let blocks: Vec<&Asked> = asked.iter().filter(|asked| asked.has("comp=block")).collect();
    assert_eq!(blocks.len(), 3);
    let staged = blocks[0].path();
    assert!(staged.starts_with("/registry/~uploads/a/b/~"), "{staged}");
    assert!(blocks.iter().all(|block| block.path() == staged));
    let list = only(&asked, |asked| asked.has("comp=blocklist"));
    assert_eq!((list.path(), String::from_utf8_lossy(&list.body).matches("<Latest>").count()), (staged, 3));
    let mark = list.header("x-ms-meta-storagedriver_mark").unwrap();
    assert!(staged.contains(&format!("/~{mark}/")), "{mark}");
    let copy = only(&asked, |asked| asked.header("x-ms-copy-source").is_some());
    assert_eq!(copy.path(), "/registry/a/b");
    assert!(copy.header("x-ms-copy-source").unwrap().ends_with(staged));
    assert_eq!(copy.header("x-ms-source-if-match"), Some("\"0x1\""));
    assert_eq!(asked.iter().filter(|asked| asked.method == "DELETE" && asked.path() == staged).count(), 1);
}

#[tokio::test]
async fn a_read_that_is_cut_goes_on_in_the_same_version() {
    let server = Server::start(|asked| match asked.header("range") {
        // Says ten, sends four.
        Some("bytes=2-") => Reply::blob(206)
            .header("content-range", "bytes 2-11/12")
            .header("content-length", "10")
            .body("cdef"),
        _ => Reply::blob(206).header("content-range", "bytes 6-11/12").body("ghijkl"),
    })
    .await;
    let content = server.storage().reader("/a", ReadOptions::from_offset(2)).await.unwrap();
    assert_eq!(content.size(), 12);
    assert_eq!(content.bytes().await.unwrap(), "cdefghijkl");
    let asked = server.asked();
    assert_eq!((asked[1].header("range"), asked[1].header("if-match")), (Some("bytes=6-"), Some("\"0x1\"")));
}

/// `startFrom` includes the name it starts from, and came with a later version of the interface.
#[tokio::test]
async fn a_walk_skips_by_starting_later() {
    let page = |names: &[&str]| {
        let entries: String = names
            .iter()
            .map(|name| {
                format!("<Blob><Name>{name}</Name><Properties><Content-Length>1</Content-Length></Properties></Blob>")
            })
            .collect();
        Reply::new(200).body(&format!(
            "<EnumerationResults><Blobs>{entries}</Blobs><NextMarker>more</NextMarker></EnumerationResults>"
        ))
    };
    let server = Server::start(move |asked| {
        if asked.has("startFrom=a%2F~") {
            let end = "<EnumerationResults><Blobs><Blob><Name>a/~</Name><Properties/></Blob><Blob><Name>b</Name>\
                       <Properties/></Blob></Blobs></EnumerationResults>";
            return Reply::new(200).body(end);
        }
        page(&["a/1", "a/2"])
    })
    .await;
    let storage = server.storage();
    let mut walk = storage.walk("/", WalkOptions::default()).await.unwrap();
    let mut seen = Vec::new();
    while let Some(info) = walk.next().await.unwrap() {
        seen.push(info.path().to_string());
        if info.is_dir() {
            walk.skip_dir();
        }
    }
    assert_eq!(seen, ["/a", "/b"]);
    let asked = server.asked();
    let later = only(&asked, |asked| asked.has("startFrom=a%2F~"));
    assert_eq!(later.header("x-ms-version"), Some("2026-02-06"));
    assert!(
        asked
            .iter()
            .filter(|asked| !asked.target.contains("startFrom"))
            .all(|asked| { asked.header("x-ms-version") == Some("2023-11-03") })
    );
}

/// A service that is too old to start anywhere is paged through.
#[tokio::test]
async fn a_walk_skips_without_starting_later() {
    let server = Server::start(|asked| {
        if asked.target.contains("startFrom") {
            return Reply::error(
                400,
                "InvalidHeaderValue",
                "The value for one of the HTTP headers is not valid.",
            );
        }
        let names = if asked.has("marker=m") {
            "<Blob><Name>b</Name><Properties/></Blob>"
        } else {
            "<Blob><Name>a/1</Name><Properties/></Blob><Blob><Name>a/2</Name><Properties/></Blob>"
        };
        let next = if asked.has("marker=m") { "" } else { "m" };
        Reply::new(200).body(&format!(
            "<EnumerationResults><Blobs>{names}</Blobs><NextMarker>{next}</NextMarker></EnumerationResults>"
        ))
    })
    .await;
    let mut walk = server.storage().walk("/", WalkOptions::default()).await.unwrap();
    let mut seen = Vec::new();
    while let Some(info) = walk.next().await.unwrap() {
        seen.push(info.path().to_string());
        if info.is_dir() {
            walk.skip_dir();
        }
    }
    assert_eq!(seen, ["/a", "/b"]);
}

/// Of Go's append blobs: they are put away before a block blob can be there, and only in the version
/// that was seen.
#[tokio::test]
async fn an_append_blob_is_deleted_and_put() {
    let server = Server::start(|asked| match asked.method.as_str() {
        "PUT" if asked.header("if-none-match").is_none() => {
            Reply::error(409, "InvalidBlobType", "The blob type is invalid for this operation.")
        }
        "PUT" => Reply::blob(201),
        "HEAD" => Reply::new(200)
            .header("etag", "\"0x7\"")
            .header("x-ms-blob-type", "AppendBlob")
            .header("content-length", "4"),
        "GET" => Reply::new(200),
        _ => Reply::new(202),
    })
    .await;
    server.storage().put_content("/a", "new").await.unwrap();
    let asked = server.asked();
    let delete = only(&asked, |asked| asked.method == "DELETE");
    assert_eq!(delete.header("if-match"), Some("\"0x7\""));
    assert_eq!(asked.last().unwrap().body, b"new");
}

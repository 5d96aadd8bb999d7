//! `rewrite`.

use storagedriver::url::Url;
use storagedriver::{Parameters, RedirectRequest, Storage};
use storagedriver_inmemory::InMemory;
use storagedriver_middleware::{REWRITE, UrlChange};

use crate::keyed::{asked, keyed, url};

fn options(pairs: &[(&str, &str)]) -> Parameters {
    Parameters::from_iter(pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())))
}

async fn rewritten(pairs: &[(&str, &str)]) -> String {
    let storage = (REWRITE.wrap)(keyed(), options(pairs)).await.unwrap();
    url(&storage, "/x").await.unwrap()
}

#[tokio::test]
async fn each_part_is_changed_alone_and_the_query_never() {
    let query = "?X-Sig=a%2Fb+c&m=GET";
    for (pairs, wanted) in [
        (&[][..], "https://bucket.example.com:9000/b/root%20dir/x"),
        (&[("scheme", "HTTP")], "http://bucket.example.com:9000/b/root%20dir/x"),
        (&[("host", "cdn.example.com")], "https://cdn.example.com/b/root%20dir/x"),
        (&[("host", "cdn.example.com:8443")], "https://cdn.example.com:8443/b/root%20dir/x"),
        (&[("host", "[2001:db8::1]:81")], "https://[2001:db8::1]:81/b/root%20dir/x"),
        (&[("host", "cdn.example.com:443"), ("scheme", "http")], "http://cdn.example.com:443/b/root%20dir/x"),
        (&[("host", "cdn.example.com:80")], "https://cdn.example.com:80/b/root%20dir/x"),
        (&[("trimpathprefix", "/b")], "https://bucket.example.com:9000/root%20dir/x"),
        (&[("trimpathprefix", "/b/root dir/")], "https://bucket.example.com:9000/x"),
        (&[("trimpathprefix", "b/root dir/x")], "https://bucket.example.com:9000/"),
        (
            &[("scheme", "http"), ("host", "cdn.example.com"), ("trimpathprefix", "/b")],
            "http://cdn.example.com/root%20dir/x",
        ),
        // None of these begins the path: what is trimmed are whole components.
        (&[("trimpathprefix", "/b/root")], "https://bucket.example.com:9000/b/root%20dir/x"),
        (&[("trimpathprefix", "/c")], "https://bucket.example.com:9000/b/root%20dir/x"),
        (&[("trimpathprefix", "/b/root dir/x/y")], "https://bucket.example.com:9000/b/root%20dir/x"),
        (&[("trimpathprefix", "/"), ("host", "")], "https://bucket.example.com:9000/b/root%20dir/x"),
    ] {
        assert_eq!(rewritten(pairs).await, format!("{wanted}{query}"), "{pairs:?}");
    }
}

/// Distribution makes `https://cdn.example.com` of nothing, and clients follow it.
#[tokio::test]
async fn where_there_is_no_url_none_is_made_up() {
    let given = options(&[("scheme", "https"), ("host", "cdn.example.com"), ("trimpathprefix", "/b")]);
    let storage = (REWRITE.wrap)(Storage::new(InMemory::new()), given.clone()).await.unwrap();
    assert_eq!(url(&storage, "/x").await, None);
    let storage = (REWRITE.wrap)(keyed(), given).await.unwrap();
    assert_eq!(asked(&storage, &RedirectRequest::new("DELETE"), "/x").await, None);
    assert!(url(&storage, "/x").await.is_some());
}

#[tokio::test]
async fn options_that_cannot_be_used_are_refused() {
    for (pair, says) in [
        (("scheme", "ftp"), "allowed: one of http, https"),
        (("host", "https://cdn.example.com"), "is more than a host"),
        (("host", "cdn.example.com/path"), "is more than a host"),
        (("host", "user@cdn.example.com"), "is more than a host"),
        (("host", "cdn.example.com:port"), "is no host"),
        (("host", "a b"), "is more than a host"),
        (("pathprefix", "/b"), r#"did you mean "trimpathprefix"?"#),
    ] {
        let error = (REWRITE.wrap)(keyed(), options(&[pair])).await.unwrap_err().to_string();
        assert!(error.starts_with("rewrite: parameter ") && error.contains(says), "{error}");
    }
}

#[test]
fn a_url_without_a_host_is_not_rewritten() {
    let change = UrlChange::new().with_host("cdn.example.com").unwrap();
    for url in ["data:,secret", "file:///secret"] {
        let error = change.apply(Url::parse(url).unwrap()).unwrap_err().to_string();
        assert!(error.contains("cannot be rewritten") && !error.contains("secret"), "{error}");
    }
    assert!(UrlChange::new().with_scheme("gopher").is_err());
}

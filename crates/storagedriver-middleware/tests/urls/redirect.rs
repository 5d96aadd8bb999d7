//! `redirect`.

use storagedriver::{Parameters, RedirectRequest, Storage};
use storagedriver_inmemory::InMemory;
use storagedriver_middleware::{BaseUrl, REDIRECT, Redirect};

use crate::keyed::{asked, keyed, url};

fn behind(base: &str, storage: &Storage) -> Storage {
    storage.layer(|driver| Redirect::new(driver, BaseUrl::parse(base).unwrap()))
}

#[tokio::test]
async fn readers_go_to_the_storage_path_on_the_other_server() {
    for storage in [Storage::new(InMemory::new()), keyed()] {
        let storage = behind("http://mirror.example.com:8080/base/path", &storage);
        let wanted = Some("http://mirror.example.com:8080/base/path/a/b".to_owned());
        assert_eq!(url(&storage, "/a/b").await, wanted);
        assert_eq!(asked(&storage, &RedirectRequest::new("HEAD"), "/a/b").await, wanted);
    }
}

#[tokio::test]
async fn other_requests_are_the_drivers_matter() {
    let put = RedirectRequest::new("PUT");
    let storage = behind("https://mirror.example.com", &keyed());
    assert!(asked(&storage, &put, "/a").await.unwrap().starts_with("https://bucket.example.com:9000/"));
    assert_eq!(asked(&storage, &RedirectRequest::new("DELETE"), "/a").await, None);
    let storage = behind("https://mirror.example.com", &Storage::new(InMemory::new()));
    assert_eq!(asked(&storage, &put, "/a").await, None);
}

#[tokio::test]
async fn all_else_is_the_drivers() {
    let storage = behind("https://mirror.example.com", &keyed());
    assert_eq!(storage.name(), "keyed");
    assert_eq!(storage.backend_key("/a").unwrap().as_deref(), Some("root dir/a"));
    storage.put_content("/a", "content").await.unwrap();
    assert_eq!(storage.get_content("/a").await.unwrap(), "content");
}

#[tokio::test]
async fn options_that_cannot_be_used_are_refused() {
    for (options, says) in [
        (Parameters::new(), r#"redirect: parameter "baseurl": is required"#),
        (Parameters::from_iter([("baseurl", "")]), "is required"),
        (Parameters::from_iter([("baseurl", "mirror.example.com")]), "has no scheme"),
        (Parameters::from_iter([("baseurl", "https://mirror.example.com/?a=b")]), "query"),
        (Parameters::from_iter([("baseurl", "https://user:secret@mirror.example.com/")]), "password"),
        (Parameters::from_iter([("basurl", "https://mirror.example.com")]), r#"did you mean "baseurl"?"#),
    ] {
        let error = (REDIRECT.wrap)(keyed(), options).await.unwrap_err().to_string();
        assert!(error.contains(says) && !error.contains("secret"), "{error}");
    }
}

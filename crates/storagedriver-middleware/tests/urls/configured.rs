//! The middleware of a configuration file, in its order.

use storagedriver::{Configuration, Error, Factory, Storage};

use crate::keyed::{KEYED, url};

const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/key.pem");

async fn configured(middleware: &str, environment: &[(&str, &str)]) -> Result<Storage, Error> {
    let text =
        format!("version: 0.1\nstorage: keyed\nmiddleware:\n  storage:\n{}", middleware.replace("KEY", KEY));
    let factory = Factory::linked().with(KEYED);
    let environment = environment.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    Configuration::read(&text, environment, &factory)?.create_with(&factory).await
}

const REWRITE: &str = "    - name: rewrite\n      options: {host: rewritten.example.com}\n";
const REDIRECT: &str = "    - name: redirect\n      options: {baseurl: 'https://mirror.example.com/base'}\n";
const CLOUDFRONT: &str = "    - name: cloudfront\n      options:\n        baseurl: d111111abcdef8.cloudfront.net\n        \
                          privatekey: KEY\n        keypairid: 123\n";

async fn host(entries: &[&str]) -> String {
    let storage = configured(&entries.concat(), &[]).await.unwrap();
    let url = url(&storage, "/a").await.unwrap();
    url.strip_prefix("https://").unwrap().split('/').next().unwrap().to_owned()
}

/// Each wraps the ones before, so the last one that makes URLs of its own decides.
#[tokio::test]
async fn any_order_composes() {
    let (bucket, mirror) = ("bucket.example.com:9000", "mirror.example.com");
    let (rewritten, distribution) = ("rewritten.example.com", "d111111abcdef8.cloudfront.net");
    assert_eq!(host(&["    []\n"]).await, bucket);
    assert_eq!(host(&[REWRITE]).await, rewritten);
    for (entries, wanted) in [
        ([REDIRECT, REWRITE, CLOUDFRONT], distribution),
        ([REWRITE, REDIRECT, CLOUDFRONT], distribution),
        ([REDIRECT, CLOUDFRONT, REWRITE], rewritten),
        ([CLOUDFRONT, REDIRECT, REWRITE], rewritten),
        ([REWRITE, CLOUDFRONT, REDIRECT], mirror),
        ([CLOUDFRONT, REWRITE, REDIRECT], mirror),
    ] {
        assert_eq!(host(&entries).await, wanted, "{entries:?}");
    }
}

/// Distribution reads `disabled`, and applies the entry all the same.
#[tokio::test]
async fn a_disabled_entry_is_passed_over() {
    let disabled = REDIRECT.replace("name: redirect", "name: redirect\n      disabled: true");
    assert_eq!(host(&[&disabled]).await, "bucket.example.com:9000");
    assert_eq!(
        host(&[&REDIRECT.replace("name: redirect", "name: redirect\n      disabled: false")]).await,
        "mirror.example.com"
    );
    // Its options are not even looked at.
    assert_eq!(host(&["    - {name: cloudfront, disabled: true}\n"]).await, "bucket.example.com:9000");
}

#[tokio::test]
async fn the_environment_sets_options() {
    let given = [("REGISTRY_MIDDLEWARE_STORAGE_0_OPTIONS_BASEURL", "https://other.example.com")];
    let storage = configured(REDIRECT, &given).await.unwrap();
    assert_eq!(url(&storage, "/a").await.as_deref(), Some("https://other.example.com/a"));
}

#[tokio::test]
async fn a_number_is_an_id_too_and_an_error_names_the_middleware() {
    let storage = configured(CLOUDFRONT, &[]).await.unwrap();
    assert!(url(&storage, "/a").await.unwrap().ends_with("&Key-Pair-Id=123"));
    let error = configured("    - name: redirect\n", &[]).await.unwrap_err();
    assert!(matches!(&error, Error::InvalidParameter { driver, .. } if driver == "redirect"), "{error}");
}

//! A driver whose backend has keys and gives URLs, as a bucket does.

use std::sync::Arc;

use storagedriver::url::Url;
use storagedriver::{
    Layer, Parameters, RedirectRequest, Registration, Result, Storage, StorageDriver, StoragePath,
    async_trait,
};
use storagedriver_inmemory::InMemory;

/// Keys below `root dir`, URLs for GET and HEAD, also one for PUT.
#[derive(Debug)]
struct Keyed(Arc<dyn StorageDriver>);

#[async_trait]
impl Layer for Keyed {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.0
    }

    fn name(&self) -> &str {
        "keyed"
    }

    async fn redirect_url(&self, request: &RedirectRequest, path: &StoragePath) -> Result<Option<Url>> {
        let url =
            format!("https://bucket.example.com:9000/b/root%20dir{path}?X-Sig=a%2Fb+c&m={}", request.method);
        Ok((request.method != "DELETE").then(|| Url::parse(&url).unwrap()))
    }

    fn backend_key(&self, path: &StoragePath) -> Option<String> {
        Some(format!("root dir{path}"))
    }
}

pub(crate) fn keyed() -> Storage {
    Storage::new(InMemory::new()).layer(Keyed)
}

storagedriver::parameters! {
    /// None.
    pub struct NoParameters for "keyed" {}
}

pub(crate) const KEYED: Registration = Registration::new(
    "keyed",
    "test",
    "0",
    "keys and URLs",
    &NoParameters::TABLE,
    |parameters: Parameters| {
        Box::pin(async move {
            NoParameters::parse(parameters)?;
            Ok(keyed())
        })
    },
);

/// The URL of a request, if there is one.
pub(crate) async fn asked(storage: &Storage, request: &RedirectRequest, path: &str) -> Option<String> {
    storage.redirect_url(request, path).await.unwrap().map(String::from)
}

/// The URL of a GET, if there is one.
pub(crate) async fn url(storage: &Storage, path: &str) -> Option<String> {
    asked(storage, &RedirectRequest::get(), path).await
}

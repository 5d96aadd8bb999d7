//! The operations of Swift, told from method, path, query and headers.
//!
//! What a segment, a claim and a session are is told by where `storagedriver-swift` has them: below
//! `…/segments/`, `…/claims/` and `…/~uploads/`.

use hyper::Method;
use hyper::http::request::Parts;
use storagedriver::{ErrorKind, Storage};

/// A token: `GET` in version 1 of the identity API, `POST` in the later ones.
pub const AUTHENTICATE: &str = "authenticate";
/// What the cluster has.
pub const INFO: &str = "info";
/// A page of names.
pub const LIST: &str = "list";
/// The content of an object.
pub const GET: &str = "get";
/// The head of an object.
pub const HEAD: &str = "head";
/// An object that is none of those that follow.
pub const PUT: &str = "put";
/// A segment.
pub const PUT_SEGMENT: &str = "put segment";
/// A claim on segments.
pub const PUT_CLAIM: &str = "put claim";
/// A manifest, static or dynamic.
pub const PUT_MANIFEST: &str = "put manifest";
/// A copy of an object that is there.
pub const COPY: &str = "copy";
/// One object.
pub const DELETE: &str = "delete";
/// A claim on segments.
pub const DELETE_CLAIM: &str = "delete claim";
/// Many objects.
pub const BULK_DELETE: &str = "bulk delete";
/// Every other request.
pub const OTHER: &str = "other";

/// As [`end_uploads`](super::end_uploads), after it was decided which of two paths keeps the one content that a rename left them
/// when it was cut short: the new one. Until then nobody can end its claim.
///
/// # Errors
/// What the storage answers; something else than such a claim cannot be ended.
///
/// # Panics
/// As there.
pub async fn end_uploads(calm: &Storage) -> storagedriver::Result<()> {
    let told = calm.uploads("/").await?;
    for claim in told.iter().filter(|upload| upload.id().starts_with("store:claim:")) {
        match calm.abort_upload(claim).await {
            Err(error) if error.kind() == ErrorKind::Conflict => {
                println!("{error}");
                calm.delete(claim.path().as_str()).await?;
            }
            ended => ended?,
        }
    }
    super::end_uploads(calm).await
}

/// Makes what names the operation of a request, for objects in this container.
pub fn operations_in(container: &str) -> impl Fn(&Parts) -> &'static str + Send + Sync + 'static {
    let container = format!("/{container}");
    move |request| operation(&container, request)
}

fn operation(container: &str, request: &Parts) -> &'static str {
    let (path, query) = (request.uri.path(), request.uri.query().unwrap_or_default());
    let has = |name: &str| request.headers.contains_key(name);
    if has("x-auth-key") || path.ends_with("/tokens") {
        return AUTHENTICATE;
    }
    if path.ends_with("/info") && request.method == Method::GET && !path.contains("/v1/") {
        return INFO;
    }
    // After the account, which Ceph may leave out.
    let below = path.split_once("/v1").and_then(|(_, account)| Some(account.split_once(container)?.1));
    let key = below.and_then(|below| below.strip_prefix('/')).filter(|key| !key.is_empty());
    let is_below = |place: &str| key.is_some_and(|key| key.contains(place));
    match (request.method.clone(), key) {
        (Method::POST, _) if query.contains("bulk-delete") => BULK_DELETE,
        (Method::GET, None) if below.is_some() => LIST,
        (_, None) => OTHER,
        (Method::PUT, _) if has("x-copy-from") => COPY,
        (Method::PUT, _) if query.contains("multipart-manifest=put") || has("x-object-manifest") => {
            PUT_MANIFEST
        }
        (Method::PUT, _) if is_below("/segments/") => PUT_SEGMENT,
        (Method::PUT, _) if is_below("/claims/") => PUT_CLAIM,
        (Method::PUT, _) => PUT,
        (Method::GET, _) => GET,
        (Method::HEAD, _) => HEAD,
        (Method::DELETE, _) if is_below("/claims/") => DELETE_CLAIM,
        (Method::DELETE, _) => DELETE,
        _ => OTHER,
    }
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    #[test]
    fn operations_are_told_apart() {
        let name = operations_in("c");
        for (method, target, header, expected) in [
            ("GET", "/auth/v1.0", "x-auth-key", AUTHENTICATE),
            ("POST", "/v3/auth/tokens", "", AUTHENTICATE),
            ("GET", "/info", "", INFO),
            ("GET", "/swift/info", "", INFO),
            ("GET", "/v1/AUTH_a/c?format=json", "", LIST),
            ("GET", "/swift/v1/c?format=json", "", LIST),
            ("PUT", "/v1/AUTH_a/c", "", OTHER),
            ("POST", "/v1/AUTH_a?bulk-delete=1", "", BULK_DELETE),
            ("PUT", "/v1/AUTH_a/c/p/files/a", "", PUT),
            ("PUT", "/v1/AUTH_a/c/p/files/a", "x-copy-from", COPY),
            ("PUT", "/v1/AUTH_a/c/p/files/a", "x-object-manifest", PUT_MANIFEST),
            ("PUT", "/v1/AUTH_a/c/p/files/a?multipart-manifest=put", "", PUT_MANIFEST),
            ("PUT", "/swift/v1/c/p/segments/abc/d/0000000000000001", "", PUT_SEGMENT),
            ("PUT", "/v1/AUTH_a/c/p/claims/abc/d", "", PUT_CLAIM),
            ("DELETE", "/v1/AUTH_a/c/p/claims/abc/d", "", DELETE_CLAIM),
            ("DELETE", "/v1/AUTH_a/c/p/files/a", "", DELETE),
            ("GET", "/v1/AUTH_a/c/p/files/info", "", GET),
            ("HEAD", "/v1/AUTH_a/c/p/files/a", "", HEAD),
            ("HEAD", "/v1/AUTH_a/c", "", OTHER),
        ] {
            let request = Request::builder().method(method).uri(target);
            let request = if header.is_empty() { request } else { request.header(header, "x") };
            let (parts, ()) = request.body(()).unwrap().into_parts();
            assert_eq!(name(&parts), expected, "{method} {target} {header}");
        }
    }
}

//! How drivers reach a server in the process of the test.

use storagedriver::Secret;
use storagedriver_swift::SwiftParameters;

/// Parameters for the container of a server; the token is asked of the server, too.
pub(crate) fn parameters(endpoint: &str) -> SwiftParameters {
    let mut parameters = SwiftParameters::new(format!("{endpoint}/v3"), "container");
    parameters.username = Some("tester".to_owned());
    parameters.password = Some(Secret::new("testing"));
    parameters.tenant = Some("test".to_owned());
    parameters.domain = Some("Default".to_owned());
    parameters.prefix = "some/root".to_owned();
    parameters.chunksize = 1 << 20;
    parameters
}

/// What a request is, for rules about faults.
#[allow(dead_code)] // Not every test program has rules.
pub(crate) fn operation(request: &storagedriver_testsuites::faults::Parts) -> &'static str {
    let query = request.uri.query().unwrap_or_default();
    let below = request.uri.path().strip_prefix("/v1/AUTH_test/container").unwrap_or_default();
    let copies = request.headers.contains_key("x-copy-from");
    match (request.method.as_str(), below) {
        ("POST", _) if query.contains("bulk-delete") => "bulk delete",
        ("GET", "") => "list",
        ("PUT", _) if copies => "copy",
        ("PUT", below) if below.contains("/segments/") => "put segment",
        ("PUT", below) if below.contains("/claims/") => "put claim",
        ("PUT", _) if query.contains("multipart-manifest=put") => "put manifest",
        ("PUT", _) => "put",
        ("GET", _) => "get",
        ("HEAD", _) => "head",
        ("DELETE", below) if below.contains("/claims/") => "delete claim",
        ("DELETE", _) => "delete",
        _ => "other",
    }
}

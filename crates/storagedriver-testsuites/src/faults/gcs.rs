//! The operations of Google Cloud Storage, told from method, path and query.
//!
//! Those of the [JSON API](https://cloud.google.com/storage/docs/json_api/v1) have its names, those of the
//! multipart uploads of the [XML API](https://cloud.google.com/storage/docs/xml-api/overview) the names of S3, so
//! that the faults of a completion fit.

use hyper::Method;
use hyper::http::request::Parts;

use super::request::parameter;
use super::s3;

/// The metadata of an object.
pub const GET: &str = "objects.get";
/// The content of an object.
pub const MEDIA: &str = "objects.get media";
/// A page of keys.
pub const LIST: &str = "objects.list";
/// An upload in one request.
pub const INSERT: &str = "objects.insert";
/// A delete of one object.
pub const DELETE: &str = "objects.delete";
/// A copy, or a step of one.
pub const REWRITE: &str = "objects.rewrite";
/// An object made of others.
pub const COMPOSE: &str = "objects.compose";
/// `POST` of a key with `uploads`.
pub const INITIATE_MULTIPART_UPLOAD: &str = s3::CREATE_MULTIPART_UPLOAD;
/// `PUT` of a key with `uploadId`.
pub const UPLOAD_PART: &str = s3::UPLOAD_PART;
/// `POST` of a key with `uploadId`.
pub const COMPLETE_MULTIPART_UPLOAD: &str = s3::COMPLETE_MULTIPART_UPLOAD;
/// `DELETE` of a key with `uploadId`.
pub const ABORT_MULTIPART_UPLOAD: &str = s3::ABORT_MULTIPART_UPLOAD;
/// `GET` of a bucket with `uploads`.
pub const LIST_MULTIPART_UPLOADS: &str = s3::LIST_MULTIPART_UPLOADS;
/// Every other request.
pub const OTHER: &str = s3::OTHER;

/// The operation of a request, in either API.
pub fn operation(request: &Parts) -> &'static str {
    let path = request.uri.path();
    if path.starts_with("/upload/storage/v1/") {
        return INSERT;
    }
    let Some(rest) = path.strip_prefix("/storage/v1/b/") else { return xml(request) };
    let query = request.uri.query().unwrap_or_default();
    // The bucket, `o`, the key, and what is done with it: slashes of a key are encoded.
    let parts: Vec<&str> = rest.split('/').collect();
    match (&request.method, parts.as_slice()) {
        (&Method::GET, [_, "o"]) => LIST,
        (&Method::GET, [_, "o", _]) if parameter(query, "alt") == Some("media") => MEDIA,
        (&Method::GET, [_, "o", _]) => GET,
        (&Method::DELETE, [_, "o", _]) => DELETE,
        (&Method::POST, [_, "o", _, "compose"]) => COMPOSE,
        (&Method::POST, [_, "o", _, "rewriteTo", "b", _, "o", _]) => REWRITE,
        _ => OTHER,
    }
}

/// A request of the XML API; only those of multipart uploads have names here.
fn xml(request: &Parts) -> &'static str {
    const NAMED: [&str; 5] = [
        INITIATE_MULTIPART_UPLOAD,
        UPLOAD_PART,
        COMPLETE_MULTIPART_UPLOAD,
        ABORT_MULTIPART_UPLOAD,
        LIST_MULTIPART_UPLOADS,
    ];
    let operation = s3::path_style(request);
    if NAMED.contains(&operation) { operation } else { OTHER }
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    #[test]
    fn each_operation_has_its_name() {
        for (method, target, name) in [
            ("GET", "/storage/v1/b/b/o?prefix=a", LIST),
            ("GET", "/storage/v1/b/b/o/a%2Fb?fields=name", GET),
            ("GET", "/storage/v1/b/b/o/a%2Fb?alt=media", MEDIA),
            ("DELETE", "/storage/v1/b/b/o/a", DELETE),
            ("POST", "/upload/storage/v1/b/b/o?name=a", INSERT),
            ("POST", "/storage/v1/b/b/o/a/compose", COMPOSE),
            ("POST", "/storage/v1/b/b/o/a/rewriteTo/b/b/o/c", REWRITE),
            ("POST", "/b/a/c?uploads=", INITIATE_MULTIPART_UPLOAD),
            ("PUT", "/b/a/c?partNumber=1&uploadId=x", UPLOAD_PART),
            ("POST", "/b/a/c?uploadId=x", COMPLETE_MULTIPART_UPLOAD),
            ("DELETE", "/b/a/c?uploadId=x", ABORT_MULTIPART_UPLOAD),
            ("GET", "/b?uploads=&prefix=a", LIST_MULTIPART_UPLOADS),
            ("GET", "/storage/v1/b/b", OTHER),
            ("POST", "/token", OTHER),
        ] {
            let (parts, ()) = Request::builder().method(method).uri(target).body(()).unwrap().into_parts();
            assert_eq!(operation(&parts), name, "{method} {target}");
        }
    }
}

//! The operations of S3, told from method, path, query and headers.
//!
//! The names are those of the [API reference](https://docs.aws.amazon.com/AmazonS3/latest/API/).

use hyper::Method;
use hyper::http::request::Parts;

use super::request::parameter;

/// `PUT` of a key.
pub const PUT_OBJECT: &str = "PutObject";
/// `GET` of a key.
pub const GET_OBJECT: &str = "GetObject";
/// `HEAD` of a key.
pub const HEAD_OBJECT: &str = "HeadObject";
/// `GET` of a bucket.
pub const LIST_OBJECTS_V1: &str = "ListObjectsV1";
/// `GET` of a bucket with `list-type=2`.
pub const LIST_OBJECTS_V2: &str = "ListObjectsV2";
/// `DELETE` of a key.
pub const DELETE_OBJECT: &str = "DeleteObject";
/// `POST` of a bucket with `delete`.
pub const DELETE_OBJECTS: &str = "DeleteObjects";
/// `PUT` of a key with the header `x-amz-copy-source`.
pub const COPY_OBJECT: &str = "CopyObject";
/// `POST` of a key with `uploads`.
pub const CREATE_MULTIPART_UPLOAD: &str = "CreateMultipartUpload";
/// `PUT` of a key with `uploadId`.
pub const UPLOAD_PART: &str = "UploadPart";
/// `PUT` of a key with `uploadId` and the header `x-amz-copy-source`.
pub const UPLOAD_PART_COPY: &str = "UploadPartCopy";
/// `POST` of a key with `uploadId`.
pub const COMPLETE_MULTIPART_UPLOAD: &str = "CompleteMultipartUpload";
/// `DELETE` of a key with `uploadId`.
pub const ABORT_MULTIPART_UPLOAD: &str = "AbortMultipartUpload";
/// `GET` of a key with `uploadId`.
pub const LIST_PARTS: &str = "ListParts";
/// `GET` of a bucket with `uploads`.
pub const LIST_MULTIPART_UPLOADS: &str = "ListMultipartUploads";
/// `GET` of the service.
pub const LIST_BUCKETS: &str = "ListBuckets";
/// `PUT` of a bucket.
pub const CREATE_BUCKET: &str = "CreateBucket";
/// `HEAD` of a bucket.
pub const HEAD_BUCKET: &str = "HeadBucket";
/// `DELETE` of a bucket.
pub const DELETE_BUCKET: &str = "DeleteBucket";
/// Every other request.
pub const OTHER: &str = "Other";

/// The operations that [`TruncateListing`](super::Fault::TruncateListing) fits.
pub(super) const LISTINGS: [&str; 2] = [LIST_OBJECTS_V1, LIST_OBJECTS_V2];

/// Sub-resources of a bucket or a key that have operations of their own, which get no name here.
const SUBRESOURCES: [&str; 12] = [
    "acl",
    "cors",
    "encryption",
    "legal-hold",
    "lifecycle",
    "location",
    "object-lock",
    "policy",
    "retention",
    "tagging",
    "versioning",
    "versions",
];

/// The operation of a request whose path begins with the bucket: `/bucket/key`.
pub fn path_style(request: &Parts) -> &'static str {
    let path = request.uri.path().trim_start_matches('/');
    match path.split_once('/') {
        Some((_, key)) if !key.is_empty() => on_key(request),
        _ if path.is_empty() && request.method == Method::GET => LIST_BUCKETS,
        _ if path.is_empty() => OTHER,
        _ => on_bucket(request),
    }
}

/// The operation of a request whose host names the bucket: `/key`.
pub fn virtual_hosted(request: &Parts) -> &'static str {
    if request.uri.path().trim_start_matches('/').is_empty() { on_bucket(request) } else { on_key(request) }
}

fn on_bucket(request: &Parts) -> &'static str {
    let query = request.uri.query().unwrap_or_default();
    let has = |name| parameter(query, name).is_some();
    if SUBRESOURCES.into_iter().any(has) {
        return OTHER;
    }
    match request.method {
        Method::GET if has("uploads") => LIST_MULTIPART_UPLOADS,
        Method::GET if parameter(query, "list-type") == Some("2") => LIST_OBJECTS_V2,
        Method::GET => LIST_OBJECTS_V1,
        Method::HEAD => HEAD_BUCKET,
        Method::PUT => CREATE_BUCKET,
        Method::DELETE => DELETE_BUCKET,
        Method::POST if has("delete") => DELETE_OBJECTS,
        _ => OTHER,
    }
}

fn on_key(request: &Parts) -> &'static str {
    let query = request.uri.query().unwrap_or_default();
    let has = |name| parameter(query, name).is_some();
    if SUBRESOURCES.into_iter().any(has) {
        return OTHER;
    }
    let (upload, copies) = (has("uploadId"), request.headers.contains_key("x-amz-copy-source"));
    match request.method {
        Method::GET if upload => LIST_PARTS,
        Method::GET => GET_OBJECT,
        Method::HEAD => HEAD_OBJECT,
        Method::PUT if upload && copies => UPLOAD_PART_COPY,
        Method::PUT if upload => UPLOAD_PART,
        Method::PUT if copies => COPY_OBJECT,
        Method::PUT => PUT_OBJECT,
        Method::DELETE if upload => ABORT_MULTIPART_UPLOAD,
        Method::DELETE => DELETE_OBJECT,
        Method::POST if upload => COMPLETE_MULTIPART_UPLOAD,
        Method::POST if has("uploads") => CREATE_MULTIPART_UPLOAD,
        _ => OTHER,
    }
}

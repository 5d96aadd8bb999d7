//! The operations of Azure Blob Storage, told from method, query and headers.
//!
//! The names are those of the [REST interface](https://learn.microsoft.com/rest/api/storageservices/),
//! without spaces. The path does not matter: an emulator has the account in it, the service in the host.

use hyper::Method;
use hyper::http::request::Parts;

use super::request::parameter;

/// `PUT` of a blob.
pub const PUT_BLOB: &str = "PutBlob";
/// `GET` of a blob.
pub const GET_BLOB: &str = "GetBlob";
/// `HEAD` of a blob.
pub const GET_BLOB_PROPERTIES: &str = "GetBlobProperties";
/// `DELETE` of a blob.
pub const DELETE_BLOB: &str = "DeleteBlob";
/// `PUT` of a blob with the header `x-ms-copy-source`.
pub const COPY_BLOB: &str = "CopyBlob";
/// `PUT` of a blob with `comp=copy`.
pub const ABORT_COPY_BLOB: &str = "AbortCopyBlob";
/// `PUT` of a blob with `comp=block`.
pub const PUT_BLOCK: &str = "PutBlock";
/// `PUT` of a blob with `comp=blocklist`.
pub const PUT_BLOCK_LIST: &str = "PutBlockList";
/// `GET` of a blob with `comp=blocklist`.
pub const GET_BLOCK_LIST: &str = "GetBlockList";
/// `PUT` of a blob with `comp=appendblock`.
pub const APPEND_BLOCK: &str = "AppendBlock";
/// `GET` of a container with `comp=list`.
pub const LIST_BLOBS: &str = "ListBlobs";
/// `PUT` of a container.
pub const CREATE_CONTAINER: &str = "CreateContainer";
/// With `restype=account`.
pub const GET_ACCOUNT_INFORMATION: &str = "GetAccountInformation";
/// `POST` of the service with `comp=userdelegationkey`.
pub const GET_USER_DELEGATION_KEY: &str = "GetUserDelegationKey";
/// Every other request.
pub const OTHER: &str = "Other";

/// The operation of a request.
pub fn operation(request: &Parts) -> &'static str {
    let query = request.uri.query().unwrap_or_default();
    let copies = request.headers.contains_key("x-ms-copy-source");
    match (request.method.clone(), parameter(query, "restype"), parameter(query, "comp")) {
        (Method::GET | Method::HEAD, Some("account"), Some("properties")) => GET_ACCOUNT_INFORMATION,
        (Method::GET, Some("container"), Some("list")) => LIST_BLOBS,
        (Method::PUT, Some("container"), None) => CREATE_CONTAINER,
        (Method::POST, Some("service"), Some("userdelegationkey")) => GET_USER_DELEGATION_KEY,
        (Method::PUT, None, Some("block")) if !copies => PUT_BLOCK,
        (Method::PUT, None, Some("blocklist")) => PUT_BLOCK_LIST,
        (Method::GET, None, Some("blocklist")) => GET_BLOCK_LIST,
        (Method::PUT, None, Some("appendblock")) if !copies => APPEND_BLOCK,
        (Method::PUT, None, Some("copy")) => ABORT_COPY_BLOB,
        (Method::PUT, None, None) if copies => COPY_BLOB,
        (Method::PUT, None, None) => PUT_BLOB,
        (Method::GET, None, None) => GET_BLOB,
        (Method::HEAD, None, None) => GET_BLOB_PROPERTIES,
        (Method::DELETE, None, None) => DELETE_BLOB,
        _ => OTHER,
    }
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    #[test]
    fn operations_are_told_apart() {
        for (method, target, copies, expected) in [
            ("PUT", "/account/container/a/b", false, PUT_BLOB),
            ("PUT", "/container/a", true, COPY_BLOB),
            ("PUT", "/container/a?comp=block&blockid=MQ%3D%3D", false, PUT_BLOCK),
            ("PUT", "/container/a?comp=block&blockid=MQ%3D%3D", true, OTHER),
            ("PUT", "/container/a?comp=blocklist", false, PUT_BLOCK_LIST),
            ("PUT", "/container/a?comp=copy&copyid=1", false, ABORT_COPY_BLOB),
            ("GET", "/container?restype=container&comp=list&prefix=a", false, LIST_BLOBS),
            ("GET", "/container/a?sv=1&sig=2", false, GET_BLOB),
            ("HEAD", "/container/a", false, GET_BLOB_PROPERTIES),
            ("DELETE", "/container/a", false, DELETE_BLOB),
            ("GET", "/container?restype=account&comp=properties", false, GET_ACCOUNT_INFORMATION),
            ("PUT", "/container/a?comp=metadata", false, OTHER),
        ] {
            let request = Request::builder().method(method).uri(target);
            let request = if copies { request.header("x-ms-copy-source", "x") } else { request };
            let (parts, ()) = request.body(()).unwrap().into_parts();
            assert_eq!(operation(&parts), expected, "{method} {target}");
        }
    }
}

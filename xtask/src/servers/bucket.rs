//! Making what the drivers never make: the bucket or container itself.

use http::Method;
use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::azure::{AzureAccessKey, AzureAuthorizer, AzureCredential};
use object_store::client::HttpRequest;

use super::http::send;
use crate::project::Outcome;

/// Who may use an S3 server, and how it is addressed.
pub(crate) struct S3Account<'a> {
    pub(crate) endpoint: &'a str,
    pub(crate) region: &'a str,
    pub(crate) access_key: &'a str,
    pub(crate) secret_key: &'a str,
}

impl S3Account<'_> {
    /// Makes a bucket.
    ///
    /// # Errors
    /// The server cannot be reached or refuses.
    pub(crate) fn make_bucket(&self, bucket: &str) -> Outcome {
        let mut request = request(Method::PUT, &format!("{}/{bucket}", self.endpoint))?;
        let credential = AwsCredential {
            key_id: self.access_key.to_owned(),
            secret_key: self.secret_key.to_owned(),
            token: None,
        };
        AwsAuthorizer::new(&credential, "s3", self.region).try_authorize(&mut request, None)?;
        made(&request, "")
    }
}

/// Makes a container of an account at a server of Azure's.
///
/// # Errors
/// The server cannot be reached or refuses.
pub(crate) fn make_container(service: &str, account: &str, key: &str, container: &str) -> Outcome {
    let mut request = request(Method::PUT, &format!("{service}/{container}?restype=container"))?;
    request.headers_mut().insert("content-length", http::HeaderValue::from_static("0"));
    let credential = AzureCredential::AccessKey(AzureAccessKey::try_new(key)?);
    AzureAuthorizer::new(&credential, account).try_authorize(&mut request)?;
    request.headers_mut().remove("content-length");
    made(&request, "")
}

/// Makes a bucket at a server of Google's JSON API that asks for no credentials.
///
/// # Errors
/// The server cannot be reached or refuses.
pub(crate) fn make_gcs_bucket(endpoint: &str, bucket: &str) -> Outcome {
    let mut request = request(Method::POST, &format!("{endpoint}/storage/v1/b?project=conformance"))?;
    request.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    made(&request, &serde_json::json!({ "name": bucket }).to_string())
}

fn request(method: Method, url: &str) -> Outcome<HttpRequest> {
    Ok(http::Request::builder().method(method).uri(url).body(Vec::new().into())?)
}

fn made(request: &HttpRequest, body: &str) -> Outcome {
    let reply = send(request, body)?;
    if (200..300).contains(&reply.status) {
        Ok(())
    } else {
        Err(format!("{} {}: {}\n{}", request.method(), request.uri(), reply.status, reply.body).into())
    }
}

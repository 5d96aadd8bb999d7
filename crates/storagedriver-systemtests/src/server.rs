//! What an S3 server itself says that it holds, asked without our driver.

use http::Method;
use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::client::HttpRequest;
use quick_xml::events::Event;

use crate::{GivenStorage, Outcome};

/// An upload that the server has parts of, or may get parts of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenUpload {
    /// The key that it would be published at.
    pub key: String,
    /// What the server calls it.
    pub id: String,
}

/// A bucket of an S3 server, path style.
pub struct Server {
    bucket: String,
    region: String,
    credential: AwsCredential,
    client: reqwest::Client,
}

impl Server {
    /// The server of a storage.
    ///
    /// # Errors
    /// The storage has no endpoint, or no static keys.
    pub fn new(given: &GivenStorage) -> Outcome<Self> {
        // A second call finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Server {
            bucket: format!("{}/{}", given.parameter("regionendpoint")?, given.parameter("bucket")?),
            region: given.parameter("region")?.to_owned(),
            credential: AwsCredential {
                key_id: given.parameter("accesskey")?.to_owned(),
                secret_key: given.parameter("secretkey")?.to_owned(),
                token: None,
            },
            client: reqwest::Client::builder().build()?,
        })
    }

    /// The uploads that were neither completed nor aborted, at keys with that prefix.
    ///
    /// # Errors
    /// The server refuses, or has more than one page of them.
    pub async fn open_uploads(&self, prefix: &str) -> Outcome<Vec<OpenUpload>> {
        let text = self.get(&format!("?prefix={}&uploads=", encoded(prefix))).await?;
        let keys = texts(&text, "Upload", "Key")?;
        let ids = texts(&text, "Upload", "UploadId")?;
        Ok(keys.into_iter().zip(ids).map(|(key, id)| OpenUpload { key, id }).collect())
    }

    /// The keys with that prefix.
    ///
    /// # Errors
    /// The server refuses, or has more than one page of them.
    pub async fn keys(&self, prefix: &str) -> Outcome<Vec<String>> {
        let text = self.get(&format!("?list-type=2&prefix={}", encoded(prefix))).await?;
        texts(&text, "Contents", "Key")
    }

    async fn get(&self, query: &str) -> Outcome<String> {
        let url = format!("{}{query}", self.bucket);
        let mut request: HttpRequest =
            http::Request::builder().method(Method::GET).uri(&url).body(Vec::new().into())?;
        AwsAuthorizer::new(&self.credential, "s3", &self.region).try_authorize(&mut request, None)?;
        let reply = self.client.get(&url).headers(request.headers().clone()).send().await?;
        let status = reply.status();
        let text = reply.text().await?;
        if !status.is_success() {
            return Err(format!("GET {url}: {status}\n{text}").into());
        }
        if text.contains("<IsTruncated>true</IsTruncated>") {
            return Err(format!("GET {url}: more than a page").into());
        }
        Ok(text)
    }
}

/// The text of `name` in each element `within`.
fn texts(document: &str, within: &str, name: &str) -> Outcome<Vec<String>> {
    let mut reader = quick_xml::Reader::from_str(document);
    let (mut path, mut found) = (Vec::new(), Vec::new());
    loop {
        match reader.read_event()? {
            Event::Start(start) => {
                path.push(String::from_utf8(start.local_name().as_ref().to_vec())?);
                if path.ends_with(&[within.to_owned(), name.to_owned()]) {
                    found.push(String::new());
                }
            }
            Event::End(_) => {
                path.pop();
            }
            Event::Text(text) if path.ends_with(&[within.to_owned(), name.to_owned()]) => {
                if let Some(last) = found.last_mut() {
                    last.push_str(&text.decode()?);
                }
            }
            Event::Eof => return Ok(found),
            _ => {}
        }
    }
}

/// A value of a query, with everything encoded that has a meaning in a URL.
fn encoded(value: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    value.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_are_read() {
        let document = "<?xml version=\"1.0\"?><ListMultipartUploadsResult><Key>no</Key><Upload><Key>a/b</Key>\
                        <UploadId>1</UploadId><Owner><ID>x</ID></Owner></Upload><Upload><Key>c</Key>\
                        <UploadId>2</UploadId></Upload></ListMultipartUploadsResult>";
        assert_eq!(texts(document, "Upload", "Key").unwrap(), ["a/b", "c"]);
        assert_eq!(texts(document, "Upload", "UploadId").unwrap(), ["1", "2"]);
    }

    #[test]
    fn a_prefix_is_encoded() {
        assert_eq!(encoded("a/~b c"), "a%2F~b%20c");
    }
}

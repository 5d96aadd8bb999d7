//! Where things are: the URLs of the JSON API and of the XML API.

use std::fmt::Write as _;

use storagedriver::url::Url;

/// Google's own service.
pub(crate) const GOOGLE: &str = "https://storage.googleapis.com";

/// A bucket at an endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    endpoint: Url,
    /// The path of the endpoint, without a slash at its end.
    base: String,
    bucket: String,
}

impl Place {
    /// The error says what is wrong with the endpoint.
    pub(crate) fn new(endpoint: &str, bucket: &str) -> Result<Self, String> {
        let endpoint = Url::parse(endpoint).map_err(|error| format!("is not a URL: {error}"))?;
        if !matches!(endpoint.scheme(), "http" | "https") || endpoint.host_str().is_none() {
            return Err("is not a URL of http or https with a host".to_owned());
        }
        if endpoint.query().is_some() || endpoint.fragment().is_some() || !endpoint.username().is_empty() {
            return Err(
                "has a query, a fragment or a user; give scheme, host, port and path alone".to_owned()
            );
        }
        let base = endpoint.path().trim_end_matches('/').to_owned();
        Ok(Place { endpoint, base, bucket: bucket.to_owned() })
    }

    fn at(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.endpoint.clone();
        url.set_path(&format!("{}{path}", self.base));
        let pairs: Vec<String> = query.iter().map(|(name, value)| pair(name, value)).collect();
        url.set_query((!pairs.is_empty()).then(|| pairs.join("&")).as_deref());
        url
    }

    fn json_path(&self, key: &str) -> String {
        format!("/storage/v1/b/{}/o/{}", encode(&self.bucket), encode(key))
    }

    /// An object in the JSON API: its metadata, with `alt=media` its content.
    pub(crate) fn object(&self, key: &str, query: &[(&str, &str)]) -> Url {
        self.at(&self.json_path(key), query)
    }

    /// The objects of the bucket in the JSON API.
    pub(crate) fn objects(&self, query: &[(&str, &str)]) -> Url {
        self.at(&format!("/storage/v1/b/{}/o", encode(&self.bucket)), query)
    }

    /// Where the JSON API takes uploads.
    pub(crate) fn upload(&self, query: &[(&str, &str)]) -> Url {
        self.at(&format!("/upload/storage/v1/b/{}/o", encode(&self.bucket)), query)
    }

    /// The copy of one object to another.
    pub(crate) fn rewrite(&self, from: &str, to: &str, query: &[(&str, &str)]) -> Url {
        let to = format!("/rewriteTo/b/{}/o/{}", encode(&self.bucket), encode(to));
        self.at(&(self.json_path(from) + &to), query)
    }

    /// The composition of an object out of others.
    pub(crate) fn compose(&self, key: &str, query: &[(&str, &str)]) -> Url {
        self.at(&(self.json_path(key) + "/compose"), query)
    }

    /// An object in the XML API, and in signed URLs.
    pub(crate) fn xml_object(&self, key: &str, query: &[(&str, &str)]) -> Url {
        self.at(&format!("/{}/{}", encode(&self.bucket), encode_path(key)), query)
    }

    /// The bucket in the XML API.
    pub(crate) fn xml_bucket(&self, query: &[(&str, &str)]) -> Url {
        self.at(&format!("/{}", encode(&self.bucket)), query)
    }
}

fn pair(name: &str, value: &str) -> String {
    format!("{}={}", encode(name), encode(value))
}

/// Percent-encodes all but the unreserved characters of RFC 3986, section 2.3: what V4 signatures
/// want, too.
pub(crate) fn encode(text: &str) -> String {
    encoded(text, false)
}

/// The same, but keeps slashes.
pub(crate) fn encode_path(text: &str) -> String {
    encoded(text, true)
}

fn encoded(text: &str, keep_slashes: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (keep_slashes && byte == b'/') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_encoded_whole_in_json_and_by_component_in_xml() {
        let place = Place::new("http://127.0.0.1:4443/under/", "layers").unwrap();
        let key = "a//b c/~u+ü";
        assert_eq!(
            place.object(key, &[("alt", "media"), ("generation", "1 2")]).as_str(),
            "http://127.0.0.1:4443/under/storage/v1/b/layers/o/a%2F%2Fb%20c%2F~u%2B%C3%BC?alt=media&generation=1%202"
        );
        assert_eq!(
            place.xml_object(key, &[]).as_str(),
            "http://127.0.0.1:4443/under/layers/a//b%20c/~u%2B%C3%BC"
        );
        let place = Place::new(GOOGLE, "layers").unwrap();
        assert_eq!(
            place.rewrite("a/b", "c", &[]).as_str(),
            "https://storage.googleapis.com/storage/v1/b/layers/o/a%2Fb/rewriteTo/b/layers/o/c"
        );
        assert_eq!(
            place.xml_bucket(&[("uploads", "")]).as_str(),
            "https://storage.googleapis.com/layers?uploads="
        );
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for endpoint in ["", "storage.googleapis.com", "ftp://host", "http://host/?a=b", "http://user@host"] {
            assert!(Place::new(endpoint, "b").is_err(), "{endpoint}");
        }
    }
}

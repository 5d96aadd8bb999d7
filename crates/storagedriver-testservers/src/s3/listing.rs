//! ListObjects, in both versions.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use s3s::S3Result;
use s3s::dto::{
    CommonPrefix, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output,
    Object,
};

use super::conditions::etag;
use super::errors;
use super::options::ListV2;
use super::service::{Service, bucket, signed};
use crate::store::{Listing, Name, Query, StoredObject, page};
use crate::uri;

impl Service {
    pub(super) fn list(&self, input: &ListObjectsInput) -> S3Result<ListObjectsOutput> {
        let query = self.query(
            input.prefix.as_deref(),
            input.delimiter.as_deref(),
            input.marker.clone().filter(|marker| !marker.is_empty()),
            input.max_keys,
        );
        let listing = self.page(&input.bucket, &query)?;
        let encode = self.encoder(input.encoding_type.as_ref());
        let (contents, common_prefixes) = split(&listing, &encode);
        // AWS names the marker only where the client cannot see it: in rolled up listings.
        let next_marker = listing.next.as_deref().filter(|_| query.delimiter.is_some()).map(&encode);
        Ok(ListObjectsOutput {
            name: Some(input.bucket.clone()),
            prefix: Some(encode(&query.prefix)),
            marker: Some(encode(query.after.as_deref().unwrap_or_default())),
            max_keys: Some(i32::try_from(query.limit).unwrap_or(i32::MAX)),
            is_truncated: Some(listing.next.is_some()),
            contents: Some(contents),
            common_prefixes: Some(common_prefixes),
            delimiter: query.delimiter.as_deref().map(&encode),
            next_marker,
            encoding_type: input.encoding_type.clone().filter(|_| self.options.url_encoding),
            ..ListObjectsOutput::default()
        })
    }

    pub(super) fn list_v2(&self, input: &ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
        let after = match self.options.list_v2 {
            ListV2::Refused => return Err(errors::not_implemented("list-type=2")),
            ListV2::Ignored => None,
            ListV2::Supported => match input.continuation_token.as_deref() {
                Some(token) => Some(read_token(token)?),
                None => input.start_after.clone().filter(|key| self.options.start_after && !key.is_empty()),
            },
        };
        let query = self.query(input.prefix.as_deref(), input.delimiter.as_deref(), after, input.max_keys);
        let listing = self.page(&input.bucket, &query)?;
        let encode = self.encoder(input.encoding_type.as_ref());
        let (contents, common_prefixes) = split(&listing, &encode);
        let knows_v2 = self.options.list_v2 == ListV2::Supported;
        Ok(ListObjectsV2Output {
            name: Some(input.bucket.clone()),
            prefix: Some(encode(&query.prefix)),
            max_keys: Some(i32::try_from(query.limit).unwrap_or(i32::MAX)),
            key_count: i32::try_from(listing.names.len()).ok().filter(|_| knows_v2),
            continuation_token: input.continuation_token.clone().filter(|_| knows_v2),
            is_truncated: Some(listing.next.is_some()),
            next_continuation_token: listing
                .next
                .as_deref()
                .filter(|_| knows_v2)
                .map(|next| URL_SAFE_NO_PAD.encode(next)),
            contents: Some(contents),
            common_prefixes: Some(common_prefixes),
            delimiter: query.delimiter.as_deref().map(&encode),
            encoding_type: input.encoding_type.clone().filter(|_| self.options.url_encoding),
            start_after: input.start_after.as_deref().filter(|_| knows_v2).map(&encode),
            ..ListObjectsV2Output::default()
        })
    }

    fn query(
        &self,
        prefix: Option<&str>,
        delimiter: Option<&str>,
        after: Option<String>,
        limit: Option<i32>,
    ) -> Query {
        Query {
            prefix: prefix.unwrap_or_default().to_owned(),
            delimiter: delimiter.filter(|text| !text.is_empty()).map(str::to_owned),
            after,
            from: None,
            limit: self.limit(limit),
            unordered: !self.options.ordered,
        }
    }

    fn page(&self, name: &str, query: &Query) -> S3Result<Listing<StoredObject>> {
        if self.options.slash_prefixes && !query.prefix.is_empty() && !query.prefix.ends_with('/') {
            return Err(errors::not_implemented("a prefix that does not end in /"));
        }
        Ok(page(&bucket(&mut self.store.lock(), name)?.objects, query))
    }

    /// How keys are written into the reply.
    fn encoder(&self, encoding: Option<&EncodingType>) -> impl Fn(&str) -> String + use<> {
        let encodes =
            self.options.url_encoding && encoding.is_some_and(|kind| kind.as_str() == EncodingType::URL);
        move |text| if encodes { uri::encode(text) } else { text.to_owned() }
    }
}

fn read_token(token: &str) -> S3Result<String> {
    URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| errors::invalid("InvalidArgument", "The continuation token provided is incorrect"))
}

fn split(
    listing: &Listing<StoredObject>,
    encode: &impl Fn(&str) -> String,
) -> (Vec<Object>, Vec<CommonPrefix>) {
    let mut objects = Vec::new();
    let mut prefixes = Vec::new();
    for name in &listing.names {
        match name {
            Name::Prefix(prefix) => prefixes.push(CommonPrefix { prefix: Some(encode(prefix)) }),
            Name::Key(key, object) => {
                let class = object.properties.get("x-amz-storage-class").map_or("STANDARD", String::as_str);
                objects.push(Object {
                    key: Some(encode(key)),
                    e_tag: Some(etag(&object.etag)),
                    size: Some(signed(object.content.size())),
                    last_modified: Some(object.modified.into()),
                    storage_class: Some(class.to_owned().into()),
                    ..Object::default()
                });
            }
        }
    }
    (objects, prefixes)
}

//! Uploads without the XML API: segment objects, composed into one.

use std::hash::{BuildHasher, RandomState};

use serde_json::{Value, json};
use storagedriver::Version;
use storagedriver_object::http::{Method, Request, header};
use storagedriver_object::{PutOptions, StoreError, StoreResult};

use crate::client::Client;
use crate::json::{self, CONTENT, MARK, Resource};
use crate::objects::generation;

/// How many objects the service composes at once.
const SOURCES: usize = 32;

impl Client {
    /// Publishes the concatenation of segments. More than 32 are composed in a tree; what stands between lies
    /// beside the segments, below the session, and goes with them.
    pub(crate) async fn concatenate(
        &self,
        key: &str,
        segments: &[String],
        options: &PutOptions,
    ) -> StoreResult<Version> {
        let mut sources = segments.to_vec();
        // Another writer of the same upload may compose other segments behind the same first one.
        let attempt = RandomState::new().hash_one(segments.len());
        let mut level = 0_u32;
        while sources.len() > SOURCES {
            let mut joined = Vec::new();
            for group in sources.chunks(SOURCES) {
                let Some(first) = group.first().filter(|_| group.len() > 1) else {
                    joined.extend_from_slice(group);
                    continue;
                };
                let to =
                    if level == 0 { format!("{first}.{attempt:016x}") } else { format!("{first}{level}") };
                self.compose(&to, group, &PutOptions::default()).await?;
                joined.push(to);
            }
            sources = joined;
            level = level.saturating_add(1);
        }
        self.compose(key, &sources, options).await
    }

    async fn compose(&self, key: &str, sources: &[String], options: &PutOptions) -> StoreResult<Version> {
        let mut query = vec![("fields", "generation")];
        if let Some(condition) = &options.condition {
            query.push(("ifGenerationMatch", generation(condition)));
        }
        let mut destination = json!({"contentType": CONTENT});
        if let (Some(mark), Some(fields)) = (&options.mark, destination.as_object_mut()) {
            fields.insert("metadata".to_owned(), json!({MARK: mark}));
        }
        let sources: Vec<Value> = sources.iter().map(|source| json!({"name": source})).collect();
        let body = json!({"sourceObjects": sources, "destination": destination}).to_string();
        let request = Request::new("objects.compose", Method::POST, self.place.compose(key, &query))
            .header(header::CONTENT_TYPE, "application/json")?
            .body(body);
        match self.exchange(&request, |_, body| json::parse::<Resource>(&body)?.version()).await {
            // A segment is gone: whoever removed it has ended the upload.
            Err(StoreError::NotFound) => Err(StoreError::NoSuchUpload),
            composed => composed,
        }
    }
}

//! Objects as the JSON API tells of them, and the choice of what it tells.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::call::rfc3339;
use crate::store::{StoredObject, unhex};
use crate::uri;

/// The resource of an object.
pub(super) fn resource(bucket: &str, key: &str, object: &StoredObject) -> Value {
    let encoded = uri::encode(key).replace('/', "%2F");
    let time = rfc3339(object.modified);
    let mut value = json!({
        "kind": "storage#object",
        "id": format!("{bucket}/{key}/{}", object.generation),
        "selfLink": format!("https://www.googleapis.com/storage/v1/b/{bucket}/o/{encoded}"),
        "mediaLink": format!(
            "https://storage.googleapis.com/download/storage/v1/b/{bucket}/o/{encoded}?generation={}&alt=media",
            object.generation
        ),
        "name": key,
        "bucket": bucket,
        "generation": object.generation.to_string(),
        "metageneration": object.metageneration.to_string(),
        "contentType": object.properties.get("content-type").map_or("application/octet-stream", String::as_str),
        "storageClass": object.properties.get("x-goog-storage-class").map_or("STANDARD", String::as_str),
        "size": object.content.size().to_string(),
        "etag": STANDARD.encode(object.generation.to_be_bytes()),
        "timeCreated": time,
        "updated": time,
        "timeStorageClassUpdated": time,
    });
    if let Some(fields) = value.as_object_mut() {
        // Composed objects have none.
        if let Some(hash) = unhex(&object.etag) {
            fields.insert("md5Hash".to_owned(), STANDARD.encode(hash).into());
        }
        if !object.metadata.is_empty() {
            fields.insert("metadata".to_owned(), json!(object.metadata));
        }
        for (header, name) in PROPERTIES {
            if let Some(text) = object.properties.get(header) {
                fields.insert(name.to_owned(), text.clone().into());
            }
        }
    }
    value
}

/// Properties by the header of the XML API, and as the JSON API names them.
pub(super) const PROPERTIES: [(&str, &str); 6] = [
    ("content-type", "contentType"),
    ("cache-control", "cacheControl"),
    ("content-disposition", "contentDisposition"),
    ("content-encoding", "contentEncoding"),
    ("content-language", "contentLanguage"),
    ("x-goog-storage-class", "storageClass"),
];

/// What `fields` names of a value: `name,items(name,size),metadata/mark`.
pub(super) fn select(value: Value, fields: Option<&str>) -> Value {
    match fields.map(str::trim) {
        None | Some("" | "*") => value,
        Some(fields) => pick(value, fields),
    }
}

fn pick(value: Value, fields: &str) -> Value {
    match value {
        Value::Array(values) => values.into_iter().map(|value| pick(value, fields)).collect(),
        Value::Object(mut object) => {
            let mut picked = Map::new();
            for field in top_level(fields) {
                let (name, rest) = match field.find(['(', '/']) {
                    Some(at) => {
                        let (name, rest) = field.split_at(at);
                        let inner = rest
                            .strip_prefix('/')
                            .or_else(|| rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')));
                        (name, inner)
                    }
                    None => (field, None),
                };
                if let Some(found) = object.remove(name) {
                    let found = match rest {
                        Some(rest) => pick(found, rest),
                        None => found,
                    };
                    picked.insert(name.to_owned(), found);
                }
            }
            Value::Object(picked)
        }
        value => value,
    }
}

/// The parts of a list between those commas that no parenthesis encloses.
fn top_level(fields: &str) -> Vec<&str> {
    let mut depth = 0_u32;
    fields
        .split(|letter| {
            match letter {
                '(' => depth = depth.saturating_add(1),
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            letter == ',' && depth == 0
        })
        .map(str::trim)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_picked() {
        let value =
            json!({"kind": "k", "items": [{"name": "a", "size": "1", "metadata": {"x": 1, "y": 2}}], "n": 2});
        let picked = select(value.clone(), Some("n,items(name,metadata/x)"));
        assert_eq!(picked, json!({"n": 2, "items": [{"name": "a", "metadata": {"x": 1}}]}));
        assert_eq!(select(value.clone(), None), value);
        assert_eq!(select(value, Some("items/size")), json!({"items": [{"size": "1"}]}));
    }
}

//! Copies inside the service: rewrite and compose.

use serde_json::{Value, json};

use super::conditions::{Conditions, bucket};
use super::objects::as_json;
use super::refusal::{Answer, Refused};
use super::resource::{resource, select};
use super::service::Service;
use super::uploads::draft;
use crate::call::Call;
use crate::store::{Content, Draft};

/// A rewrite that is not done.
#[derive(Debug)]
pub(super) struct Rewrite {
    /// Source and destination.
    names: [String; 4],
    /// The generation that it reads.
    generation: u64,
    done: u64,
}

impl Service {
    /// `names`: bucket and key of the source, bucket and key of the destination.
    pub(super) fn rewrite(&self, call: &Call, names: [String; 4]) -> Answer {
        let [from_bucket, from_key, to_bucket, to_key] = &names;
        let mut state = self.store.lock();
        let source = Conditions::of_source(call)?.read(&mut state, from_bucket, from_key)?;
        let conditions = Conditions::of_query(call)?;
        conditions.write(&mut state, to_bucket, to_key)?;
        let size = source.content.size();
        let mut rewrites = self.rewrites();
        let before = match call.parameter("rewriteToken") {
            None => 0,
            Some(token) => {
                let known = rewrites.remove(token);
                known
                    .filter(|rewrite| rewrite.names == names && rewrite.generation == source.generation)
                    .ok_or_else(|| Refused::invalid("Invalid rewrite token."))?
                    .done
            }
        };
        let step = self.options.rewrite_limit.map_or(u64::MAX, |limit| limit.max(1));
        let done = before.saturating_add(step).min(size);
        let mut reply = json!({
            "kind": "storage#rewriteResponse",
            "totalBytesRewritten": done.to_string(),
            "objectSize": size.to_string(),
            "done": done == size,
        });
        if done < size {
            let token = format!("rewrite-{:012}", state.number());
            if let Some(fields) = reply.as_object_mut() {
                fields.insert("rewriteToken".to_owned(), token.clone().into());
            }
            rewrites.insert(token, Rewrite { names, generation: source.generation, done });
            return Ok(as_json(&select(reply, call.parameter("fields"))));
        }
        // Without a resource in the request the copy is as its source.
        let mut copy = match serde_json::from_slice::<Value>(&call.body) {
            Ok(metadata) if metadata.as_object().is_some_and(|fields| !fields.is_empty()) => draft(&metadata),
            _ => Draft { metadata: source.metadata, properties: source.properties, ..Draft::default() },
        };
        copy.content = source.content;
        copy.etag = Some(source.etag);
        let stored = state.put(to_bucket, to_key, copy).ok_or_else(Refused::no_bucket)?;
        if let Some(fields) = reply.as_object_mut() {
            fields.insert("resource".to_owned(), resource(to_bucket, to_key, &stored));
        }
        Ok(as_json(&select(reply, call.parameter("fields"))))
    }

    pub(super) fn compose(&self, call: &Call, name: &str, key: &str) -> Answer {
        let request: Value =
            serde_json::from_slice(&call.body).map_err(|_| Refused::invalid("Parse Error"))?;
        let sources =
            request.get("sourceObjects").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if sources.is_empty() {
            return Err(Refused::invalid("You must provide at least one source component."));
        }
        if sources.len() > self.options.compose_limit {
            return Err(Refused::invalid(format!(
                "The number of source components provided ({}) exceeds the maximum ({})",
                sources.len(),
                self.options.compose_limit
            )));
        }
        let mut state = self.store.lock();
        let mut content = Content::default();
        for source in sources {
            let from = source.get("name").and_then(Value::as_str).unwrap_or_default();
            let found = bucket(&mut state, name)?.objects.get(from).cloned();
            let generation = source.get("generation").and_then(Value::as_str).map(str::to_owned);
            let found = found
                .filter(|found| generation.is_none_or(|wanted| wanted == found.generation.to_string()))
                .ok_or_else(|| Refused::no_object(name, from))?;
            let wanted = source.pointer("/objectPreconditions/ifGenerationMatch").and_then(Value::as_str);
            if wanted.is_some_and(|wanted| wanted != found.generation.to_string()) {
                return Err(Refused::condition());
            }
            content.extend(&found.content);
        }
        Conditions::of_query(call)?.write(&mut state, name, key)?;
        let mut composed = draft(request.get("destination").unwrap_or(&Value::Null));
        composed.content = content;
        composed.etag = Some(format!("-composed{}", state.number()));
        let stored = state.put(name, key, composed).ok_or_else(Refused::no_bucket)?;
        Ok(as_json(&select(resource(name, key, &stored), call.parameter("fields"))))
    }
}

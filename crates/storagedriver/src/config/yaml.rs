//! YAML text to [`Value`]s.
//!
//! The parser is `saphyr-parser`: maintained, two small dependencies, no serde, and it tells plain
//! scalars from quoted ones, which YAML 1.1 needs and which serde-based crates do not show.

use std::borrow::Cow;
use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use super::scalar;
use crate::{Parameters, Value};

/// More values than any configuration has: aliases must not blow a small file up.
const MOST_VALUES: usize = 100_000;
/// Deeper than any configuration is: values are dropped and compared by recursion.
const DEEPEST: usize = 64;

/// Reads the one document of `text`. The error says what is wrong and where, not what the text is.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let mut builder = Builder::default();
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| format!("{} in line {}", error.info(), error.marker().line()))?;
        let line = span.start.line();
        let located = |wrong: &str| format!("{wrong} in line {line}");
        match event {
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    return Err(located("a second document begins"));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                builder.finish(Node::scalar(&text, style, tag.as_deref()), anchor).map_err(located)?;
            }
            Event::Alias(anchor) => builder.alias(anchor).map_err(located)?,
            Event::SequenceStart(anchor, _) => {
                builder.open(Frame::List { items: Vec::new(), anchor }).map_err(located)?;
            }
            Event::MappingStart(anchor, _) => {
                builder.open(Frame::new_map(anchor)).map_err(located)?;
            }
            Event::SequenceEnd | Event::MappingEnd => builder.close().map_err(located)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
    }
    Ok(builder.root.unwrap_or(Value::Null))
}

/// A finished value, and its text if it can be a key.
#[derive(Clone)]
struct Node {
    value: Value,
    key: Option<String>,
    /// The plain scalar `<<`.
    merge: bool,
    /// How many values this is, itself included.
    count: usize,
}

impl Node {
    fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Node {
        let own = tag.filter(|tag| tag.is_yaml_core_schema()).map(|tag| tag.suffix.as_str());
        let value = match (own, tag, style) {
            (Some("int" | "float" | "bool" | "null"), _, _) | (None, None, ScalarStyle::Plain) => {
                scalar::plain(text)
            }
            _ => Value::String(text.to_owned()),
        };
        let merge = tag.is_none() && style == ScalarStyle::Plain && text == "<<";
        Node { value, key: Some(text.to_owned()), merge, count: 1 }
    }
}

enum Frame {
    List { items: Vec<Node>, anchor: usize },
    Map { entries: Parameters, merged: Vec<Parameters>, key: Option<Node>, count: usize, anchor: usize },
}

impl Frame {
    fn new_map(anchor: usize) -> Frame {
        Frame::Map { entries: Parameters::new(), merged: Vec::new(), key: None, count: 1, anchor }
    }
}

#[derive(Default)]
struct Builder {
    open: Vec<Frame>,
    anchors: BTreeMap<usize, Node>,
    values: usize,
    root: Option<Value>,
}

impl Builder {
    fn open(&mut self, frame: Frame) -> Result<(), &'static str> {
        if self.open.len() >= DEEPEST {
            return Err("maps and lists are nested too deeply");
        }
        self.open.push(frame);
        Ok(())
    }

    fn close(&mut self) -> Result<(), &'static str> {
        let (node, anchor) = match self.open.pop() {
            Some(Frame::List { items, anchor }) => {
                let count = items.iter().map(|item| item.count).sum::<usize>() + 1;
                let value = Value::List(items.into_iter().map(|item| item.value).collect());
                (Node { value, key: None, merge: false, count }, anchor)
            }
            Some(Frame::Map { mut entries, merged, count, anchor, .. }) => {
                // What stands in the map itself wins over what is merged into it, and the first
                // merged map over the later ones.
                for (name, value) in merged.into_iter().flatten() {
                    if !entries.contains(&name) {
                        entries.insert(name, value);
                    }
                }
                (Node { value: Value::Map(entries), key: None, merge: false, count }, anchor)
            }
            None => return Err("a map or list ends that did not begin"),
        };
        self.finish(node, anchor)
    }

    fn alias(&mut self, anchor: usize) -> Result<(), &'static str> {
        let node = self.anchors.get(&anchor).cloned().ok_or("an alias refers to what contains it")?;
        // Its depth adds to that of where it stands.
        self.finish(node, 0)
    }

    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), &'static str> {
        self.values = self.values.saturating_add(node.count);
        if self.values > MOST_VALUES {
            return Err("there are too many values");
        }
        if depth(&node.value) + self.open.len() > DEEPEST {
            return Err("maps and lists are nested too deeply");
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            None => self.root = Some(node.value),
            Some(Frame::List { items, .. }) => items.push(node),
            Some(Frame::Map { entries, merged, key, count, .. }) => match key.take() {
                None if node.key.is_none() => return Err("a map or list stands as a key"),
                None => *key = Some(node),
                Some(Node { merge: true, .. }) => {
                    *count = count.saturating_add(node.count);
                    merged.extend(merged_maps(node.value)?);
                }
                Some(Node { key: name, .. }) => {
                    *count = count.saturating_add(node.count);
                    let name = name.unwrap_or_default();
                    // As `yaml.v2` for Distribution: the later one holds.
                    if entries.insert(name.clone(), node.value).is_some() {
                        tracing::warn!(key = name, "a key stands twice in one map of the configuration");
                    }
                }
            },
        }
        Ok(())
    }
}

fn merged_maps(value: Value) -> Result<Vec<Parameters>, &'static str> {
    let each = match value {
        Value::List(items) => items,
        single => vec![single],
    };
    each.into_iter()
        .map(|item| match item {
            Value::Map(map) => Ok(map),
            _ => Err("what << merges is not a map"),
        })
        .collect()
}

/// Bounded by [`DEEPEST`]: every value was checked when it was finished.
fn depth(value: &Value) -> usize {
    match value {
        Value::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Map(map) => 1 + map.iter().map(|(_, value)| depth(value)).max().unwrap_or(0),
        _ => 0,
    }
}

/// What stands between the quotes, if `text` is one quoted scalar.
pub(super) fn quoted(text: &str) -> Option<Cow<'_, str>> {
    if !text.starts_with(['"', '\'']) {
        return None;
    }
    match parse(text) {
        Ok(Value::String(inner)) => Some(Cow::Owned(inner)),
        _ => None,
    }
}

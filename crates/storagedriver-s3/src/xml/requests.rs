//! Bodies of requests.

use std::fmt::Write;

use quick_xml::escape::escape;
use storagedriver_object::Part;

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// What completes an upload.
pub(crate) fn completion(parts: &[Part]) -> String {
    let mut body = format!("<CompleteMultipartUpload xmlns=\"{NAMESPACE}\">");
    for part in parts {
        let Part { number, tag, .. } = part;
        // Writing into a string does not fail.
        let _ = write!(
            body,
            "<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag></Part>",
            escape(tag.as_str())
        );
    }
    body.push_str("</CompleteMultipartUpload>");
    body
}

/// What deletes several objects. The reply is to name every one.
pub(crate) fn deletion<'a>(keys: impl Iterator<Item = &'a str>) -> String {
    let mut body = format!("<Delete xmlns=\"{NAMESPACE}\">");
    for key in keys {
        // A parser would make a line feed of a carriage return.
        let key = escape(key).replace('\r', "&#13;");
        let _ = write!(body, "<Object><Key>{key}</Key></Object>");
    }
    body.push_str("</Delete>");
    body
}

/// Whether XML 1.0 can hold the key.
pub(crate) fn can_be_named(key: &str) -> bool {
    key.chars().all(|character| {
        matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Element;

    #[test]
    fn what_is_written_can_be_read() {
        let keys = ["a<b>&\"'c", "d\r\n e", "…"];
        let root = Element::parse(deletion(keys.into_iter()).as_bytes()).unwrap();
        let read: Vec<_> = root.children("Object").map(|object| object.value("Key").unwrap()).collect();
        assert_eq!(read, keys);
        let parts = [Part { number: 7, tag: "\"t\"".to_owned(), size: 1 }];
        let root = Element::parse(completion(&parts).as_bytes()).unwrap();
        let part = root.child("Part").unwrap();
        assert_eq!((part.value("PartNumber"), part.value("ETag")), (Some("7"), Some("\"t\"")));
    }

    #[test]
    fn control_characters_cannot_be_named() {
        assert!(can_be_named("a\tb…") && !can_be_named("a\u{1}") && !can_be_named("\u{ffff}"));
    }
}

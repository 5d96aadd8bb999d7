//! Writing of XML: small replies, element by element.

use std::borrow::Cow;

/// An element with a text.
pub(crate) fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escape(text))
}

/// Escapes what has a meaning in XML.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    quick_xml::escape::escape(text)
}

//! A reply as a tree of elements: all stores have the same names, and no two the same order.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// Deeper than any reply of S3.
const DEEPEST: usize = 32;

/// One element, its name without a prefix.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    /// What is between its tags, children left out; `None` if it names a character that there is
    /// not.
    text: Option<String>,
    children: Vec<Element>,
}

impl Element {
    /// The root of a document; `None` if it is not one, whole and well-formed.
    pub(crate) fn parse(document: &[u8]) -> Option<Element> {
        let mut reader = Reader::from_str(std::str::from_utf8(document).ok()?);
        let mut open: Vec<Element> = Vec::new();
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) if open.len() < DEEPEST => open.push(Element::named(&start)?),
                Event::Start(_) | Event::DocType(_) | Event::Eof => return None,
                Event::Empty(start) => {
                    let element = Element::named(&start)?;
                    match open.last_mut() {
                        Some(parent) => parent.children.push(element),
                        None => return Some(element),
                    }
                }
                Event::End(_) => {
                    let element = open.pop()?;
                    match open.last_mut() {
                        Some(parent) => parent.children.push(element),
                        None => return Some(element),
                    }
                }
                Event::Text(text) => append(&mut open, Some(&text.decode().ok()?)),
                Event::CData(text) => append(&mut open, Some(&text.decode().ok()?)),
                Event::GeneralRef(reference) => append(&mut open, resolve(&reference).as_deref()),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
    }

    fn named(start: &BytesStart<'_>) -> Option<Element> {
        let name = std::str::from_utf8(start.local_name().into_inner()).ok()?.to_owned();
        Some(Element { name, text: Some(String::new()), children: Vec::new() })
    }

    /// The text of the element.
    pub(crate) fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The first child of that name.
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of that name.
    pub(crate) fn children(&self, name: &str) -> impl Iterator<Item = &Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child of that name; `None` if there is none or it is empty.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.child(name)?.text().filter(|text| !text.is_empty())
    }
}

fn append(open: &mut [Element], more: Option<&str>) {
    let Some(element) = open.last_mut() else { return };
    match more {
        Some(more) => {
            if let Some(text) = &mut element.text {
                text.push_str(more);
            }
        }
        None => element.text = None,
    }
}

fn resolve(reference: &BytesRef<'_>) -> Option<String> {
    let name = reference.decode().ok()?;
    let character = match &*name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        number => {
            let number = number.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some(character.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read() {
        let document = b"<?xml version=\"1.0\"?>\n<a:A xmlns:a=\"x\"><B>1 &amp; 2&#x1;</B><C/><B><![CDATA[<3>]]></B></a:A>";
        let root = Element::parse(document).unwrap();
        assert_eq!(root.name, "A");
        let texts: Vec<_> = root.children("B").map(|child| child.text().unwrap()).collect();
        assert_eq!(texts, ["1 & 2\u{1}", "<3>"]);
        assert_eq!((root.value("B"), root.value("C"), root.value("D")), (Some("1 & 2\u{1}"), None, None));
    }

    #[test]
    fn a_character_that_is_none_spoils_its_element_alone() {
        let root = Element::parse(b"<A><K>a&#xD800;b</K><K>c</K></A>").unwrap();
        let texts: Vec<_> = root.children("K").map(Element::text).collect();
        assert_eq!(texts, [None, Some("c")]);
    }

    #[test]
    fn what_is_cut_or_broken_is_no_document() {
        let document = "<A><B>text</B><C>more</C></A>";
        for end in 0..document.len() {
            assert_eq!(Element::parse(&document.as_bytes()[..end]), None, "{end}");
        }
        for broken in ["", "text", "<A></B>", "<A>&#xZZ;</A", "{\"a\": 1}", "<!DOCTYPE x><A></A>"] {
            assert_eq!(Element::parse(broken.as_bytes()), None, "{broken}");
        }
        assert_eq!(Element::parse("<A>".repeat(100).as_bytes()), None);
    }
}

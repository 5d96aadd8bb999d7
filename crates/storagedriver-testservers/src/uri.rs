//! Percent-encoding.

/// Decodes `%XX`; what is no such escape stays. Bytes that are no UTF-8 become U+FFFD.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first == b'%'
            && let Some((digits, after)) = tail.split_at_checked(2)
            && let Some(byte) =
                std::str::from_utf8(digits).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok())
        {
            bytes.push(byte);
            rest = after;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Encodes all but unreserved characters (RFC 3986, section 2.3) and `/`.
pub(crate) fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        let text = "a b/~ü+%2F";
        assert_eq!(decode(&encode(text)), text);
        assert_eq!(decode("%zz%4"), "%zz%4");
    }
}

//! From text to a storage argument. No message shows a value: it may be secret.

use std::str::FromStr;

use super::{InvalidStorageArgument, StorageArgument, ValueSource};

type Result<T> = std::result::Result<T, InvalidStorageArgument>;

impl FromStr for StorageArgument {
    type Err = InvalidStorageArgument;

    fn from_str(text: &str) -> Result<Self> {
        if let Some(file) = text.strip_prefix('@') {
            return match file.strip_prefix("env:") {
                Some(file) => StorageArgument::of_configuration(file, true),
                None => StorageArgument::of_configuration(file, false),
            };
        }
        let (name, mut rest) = text.split_once(':').unwrap_or((text, ""));
        let mut argument = StorageArgument::of_driver(name)?;
        let mut last = None;
        while !rest.is_empty() {
            let (key, after) = take_key(rest, last)?;
            let (source, after) = take_value(key, after)?;
            argument = argument.with(key, source)?;
            last = Some(key);
            rest = after;
        }
        Ok(argument)
    }
}

pub(super) fn check_name(name: &str) -> Result<()> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || !name.bytes().all(allowed) {
        return Err(InvalidStorageArgument::new(
            "a storage is `name[:key=value,…]`, the name of lower-case letters, digits and `-`, or `@config.yml`",
        ));
    }
    Ok(())
}

pub(super) fn check_key(key: &str) -> Result<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if key.split('.').any(|part| part.is_empty() || !part.bytes().all(allowed)) {
        return Err(InvalidStorageArgument::new(
            "a key is letters, digits, `_` and `-`, its parts joined by `.`",
        ));
    }
    Ok(())
}

pub(super) fn check_source(key: &str, source: &ValueSource) -> Result<()> {
    match source {
        ValueSource::Environment(name) if name.is_empty() => {
            Err(InvalidStorageArgument::new(format!("`{key}`: `env:` is followed by the name of a variable")))
        }
        ValueSource::File(path) if path.is_empty() => {
            Err(InvalidStorageArgument::new(format!("`{key}`: `file:` is followed by the name of a file")))
        }
        _ => Ok(()),
    }
}

/// The key, and what follows its `=`.
fn take_key<'a>(rest: &'a str, last: Option<&str>) -> Result<(&'a str, &'a str)> {
    let place = || last.map_or_else(|| "after `:`".to_owned(), |last| format!("after the value of `{last}`"));
    match rest.split_once('=') {
        Some((key, after)) if check_key(key).is_ok() => Ok((key, after)),
        _ => Err(InvalidStorageArgument::new(format!(
            "{} comes no `key=value`; a value that holds `,` or `\"` is quoted: key=\"a,b\"",
            place()
        ))),
    }
}

/// The value, and what follows its `,`. A `,` at the very end is an error: it announces a pair.
fn take_value<'a>(key: &str, text: &'a str) -> Result<(ValueSource, &'a str)> {
    type Make = fn(String) -> ValueSource;
    let (make, text): (Make, &str) = if let Some(name) = text.strip_prefix("env:") {
        (ValueSource::Environment, name)
    } else if let Some(path) = text.strip_prefix("file:") {
        (ValueSource::File, path)
    } else {
        (ValueSource::Literal, text)
    };
    let (value, after) = match text.strip_prefix('"') {
        Some(quoted) => take_quoted(key, quoted)?,
        None => {
            let end = text.find(',').unwrap_or(text.len());
            let (value, after) = text.split_at(end);
            if value.contains('"') {
                let reason = format!("`{key}`: a value that holds `\"` is quoted, each `\"` in it doubled");
                return Err(InvalidStorageArgument::new(reason));
            }
            (value.to_owned(), after)
        }
    };
    let source = make(value);
    if after.is_empty() {
        return Ok((source, after));
    }
    match after.strip_prefix(',') {
        Some("") => {
            Err(InvalidStorageArgument::new(format!("after the value of `{key}`: nothing follows the `,`")))
        }
        Some(after) => Ok((source, after)),
        None => {
            Err(InvalidStorageArgument::new(format!("`{key}`: a `,` or the end follows the closing `\"`")))
        }
    }
}

/// The text up to the closing quote, and what follows it.
fn take_quoted<'a>(key: &str, text: &'a str) -> Result<(String, &'a str)> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let Some((part, after)) = rest.split_once('"') else {
            return Err(InvalidStorageArgument::new(format!("`{key}`: the closing `\"` is missing")));
        };
        value.push_str(part);
        match after.strip_prefix('"') {
            Some(after) => {
                value.push('"');
                rest = after;
            }
            None => return Ok((value, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ValueSource::{Environment, File, Literal};

    fn parse(text: &str) -> StorageArgument {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn refusal(text: &str) -> String {
        text.parse::<StorageArgument>().expect_err(text).to_string()
    }

    fn sources(text: &str) -> Vec<(String, ValueSource)> {
        parse(text).parameters().map(|(key, source)| (key.to_owned(), source.clone())).collect()
    }

    #[test]
    fn the_first_colon_ends_the_name_and_the_first_equals_sign_the_key() {
        assert_eq!(parse("inmemory").driver(), Some("inmemory"));
        assert_eq!(parse("inmemory:"), parse("inmemory"));
        assert_eq!(
            sources("s3:regionendpoint=http://h:1/?a=b,bucket="),
            [
                ("bucket".into(), Literal(String::new())),
                ("regionendpoint".into(), Literal("http://h:1/?a=b".into()))
            ]
        );
    }

    #[test]
    fn values_are_literal_quoted_or_read_from_elsewhere() {
        assert_eq!(
            sources(r#"x:a="1,2",b="say ""hi""",c=env:C,d=file:/d,e="env:E",f=file:"a,b",g.h=7"#),
            [
                ("a".into(), Literal("1,2".into())),
                ("b".into(), Literal(r#"say "hi""#.into())),
                ("c".into(), Environment("C".into())),
                ("d".into(), File("/d".into())),
                ("e".into(), Literal("env:E".into())),
                ("f".into(), File("a,b".into())),
                ("g.h".into(), Literal("7".into())),
            ]
        );
    }

    #[test]
    fn configuration_files() {
        assert_eq!(parse("@config.yml").configuration(), Some(("config.yml", false)));
        assert_eq!(parse("@env:config.yml").configuration(), Some(("config.yml", true)));
        assert_eq!(parse("@./env:x").configuration(), Some(("./env:x", false)));
        assert_eq!(StorageArgument::of_configuration("env:x", false), Ok(parse("@./env:x")));
        refusal("@");
        refusal("@env:");
    }

    #[test]
    fn what_is_refused() {
        for bad in [
            "",
            ":a=1",
            "S3",
            "s3/x",
            "s3:a",
            "s3:=1",
            "s3:a=1,",
            "s3:,a=1",
            "s3:a=1,,b=2",
            "s3:a..b=1",
            "s3:a.=1",
            "s3:a b=1",
            "s3:a=1,a=2",
            "s3:a=1,a.b=2",
            "s3:a.b=1,a=2",
            "s3:a=x\"y",
            "s3:a=\"x",
            "s3:a=\"x\"y",
            "s3:a=env:",
            "s3:a=file:",
            "s3:a=file:\"\"",
        ] {
            refusal(bad);
        }
        // `a.b` and `ab` share no part.
        parse("s3:a.b=1,ab=2,a.c=3");
    }

    #[test]
    fn no_refusal_shows_a_value() {
        for text in [
            "s3:k=SECRET,SECRET",
            "s3:k=SEC\"SECRET",
            "s3:k=\"SECRET",
            "s3:k=\"SECRET\"SECRET",
            "s3:k=SECRET,SE CRET=SECRET",
        ] {
            let message = refusal(text);
            assert!(!message.contains("SEC"), "{message}");
            assert!(message.contains("`k`"), "{message}");
        }
        assert!(!format!("{:?}", parse("s3:k=SECRET")).contains("SECRET"));
        assert!(!format!("{:?}", sources("s3:k=SECRET")).contains("SECRET"));
    }
}

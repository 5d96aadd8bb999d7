//! What `parameters!` makes: every kind, every option, every message.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use proptest::prelude::*;
use storagedriver::{Error, Parameters, Value};

storagedriver::parameters! {
    /// One parameter of each kind.
    pub struct Every for "every" {
        /// Text.
        text: String,
        /// Text that has to be given.
        bucket: String = required,
        /// A switch | with a bar.
        switch: Bool = true,
        /// A number.
        number: Integer(-5 ..= 9) = "-5",
        /// A size.
        chunksize: Bytes(5 MiB ..= 5 GiB) = 10 MiB,
        /// Any size.
        total: Bytes,
        /// A time.
        wait: Duration(1 s ..= 12 h) = "20m",
        /// Any time.
        delay: Duration,
        /// A word.
        level: Choice("off", "debug", "STANDARD") = "off",
        /// Several.
        methods: List,
        /// Nested.
        extra: Map,
        /// Hidden.
        secretkey: Secret { aliases: ["secret", "hidden"] },
        /// A place.
        rootdirectory: Path = "/var/lib/registry",
        /// A bound.
        maxthreads: Limit(25) = 100,
        /// Either this
        /// or endpoint.
        region: String { required_unless: "endpoint" },
        /// Or this.
        endpoint: String,
        /// Nested by name.
        kind: Choice("shared_key", "default") { name: "credentials.type", deprecated: "it is found out" },
        /// Nested and hidden.
        nested_secret: Secret { name: "credentials.secret" },
    }
    ignored { "connectionstring": "it never had an effect" }
    refused { "v2auth": "this server has no such thing" }
}

storagedriver::parameters! {
    /// Names in any case.
    struct AnyCase for "us3", case_insensitive {
        /// Public.
        public_key: String = required { name: "PublicKey" },
    }
}

fn with(pairs: &[(&str, Value)]) -> Parameters {
    let mut all = Parameters::from_iter([("bucket", "b"), ("region", "r")]);
    all.extend(pairs.iter().cloned());
    all
}

fn one(name: &str, value: impl Into<Value>) -> Every {
    Every::parse(with(&[(name, value.into())])).unwrap()
}

fn error(pairs: &[(&str, Value)]) -> String {
    let error = Every::parse(with(pairs)).unwrap_err();
    assert!(matches!(error, Error::InvalidParameter { .. }), "{error}");
    error.to_string()
}

#[test]
fn what_is_left_out_has_its_default() {
    let all = Every::parse(with(&[])).unwrap();
    assert_eq!((all.text, all.switch, all.number, all.total), (None, true, -5, None));
    assert_eq!((all.chunksize, all.wait, all.delay), (10 << 20, Duration::from_secs(1200), None));
    assert_eq!((all.level, all.maxthreads, all.endpoint), ("off", 100, None));
    assert_eq!(all.rootdirectory.to_str(), Some("/var/lib/registry"));
    let (methods, extra) = (all.methods.is_none(), all.extra.is_none());
    assert!(methods && extra && all.secretkey.is_none() && all.kind.is_none());
    // Null is the same as nothing, for whole groups too.
    assert!(one("switch", Value::Null).switch);
    assert_eq!(one("credentials", Value::Null).kind, None);
    assert!(error(&[("bucket", Value::Null)]).contains("\"bucket\": is required"));
    // So is empty text where there is no default.
    assert!(one("secretkey", "").secretkey.is_none() && one("endpoint", "").endpoint.is_none());
    assert!(error(&[("bucket", "".into())]).contains("\"bucket\": is required"));
    assert!(error(&[("rootdirectory", "".into())]).contains("is empty"));
}

#[test]
fn values_come_native_or_as_text() {
    for (given, expected) in
        [("true", true), ("YES", true), ("on", true), ("1", true), ("f", false), ("Off", false)]
    {
        assert_eq!(one("switch", given).switch, expected);
    }
    assert!(!one("switch", false).switch);
    for given in [Value::from(7), "7".into(), "+7".into(), " 7 ".into(), "0x7".into(), Value::Float(7.0)] {
        assert_eq!(one("number", given).number, 7);
    }
    for given in [
        Value::from(5 << 20),
        "5242880".into(),
        "5 MiB".into(),
        "5mib".into(),
        "5120 KiB".into(),
        "5242880 B".into(),
    ] {
        assert_eq!(one("chunksize", given).chunksize, 5 << 20);
    }
    assert_eq!(one("total", Value::Float(1e7)).total, Some(10_000_000));
    let seconds = [
        ("90s", 90.0),
        ("1h30m", 5400.0),
        ("1.5h", 5400.0),
        ("100ms", 0.1),
        ("7 days", 604_800.0),
        ("0", 0.0),
    ];
    for (given, expected) in seconds {
        assert_eq!(one("delay", given).delay, Some(Duration::from_secs_f64(expected)), "{given}");
    }
    assert_eq!(one("delay", "1h 30m").delay, Some(Duration::from_secs(5400)));
    assert_eq!(one("delay", 0).delay, Some(Duration::ZERO));
    for (given, expected) in
        [(Value::from("Debug"), "debug"), ("standard".into(), "STANDARD"), (false.into(), "off")]
    {
        assert_eq!(one("level", given).level, expected);
    }
    assert_eq!(one("methods", vec!["GET", "HEAD"]).methods.unwrap(), ["GET", "HEAD"]);
    assert_eq!(one("methods", "GET, HEAD,").methods.unwrap(), ["GET", "HEAD"]);
    assert_eq!(one("text", 7).text.as_deref(), Some("7"));
    assert_eq!(one("text", true).text.as_deref(), Some("true"));
    assert_eq!(one("hidden", 7).secretkey.unwrap().reveal(), "7");
    let nested = Parameters::from_iter([("type", "shared_key"), ("secret", "x")]);
    let all = one("credentials", nested);
    assert_eq!((all.kind, all.nested_secret.unwrap().reveal()), (Some("shared_key"), "x"));
}

#[test]
fn limits_follow_distribution() {
    let rows = [
        (Value::from(0), 25),
        ((-3).into(), 25),
        (24.into(), 25),
        (26.into(), 26),
        ("0x40".into(), 64),
        ("040".into(), 32),
        ("0".into(), 25),
        ("00".into(), 25),
        ("50".into(), 50),
        (Value::Null, 100),
    ];
    for (given, expected) in rows {
        assert_eq!(one("maxthreads", given).maxthreads, expected);
    }
    for given in [Value::Float(50.0), true.into(), "-1".into(), "50x".into(), "".into(), Value::List(vec![])]
    {
        assert!(error(&[("maxthreads", given)]).contains("raised to 25 if below"));
    }
}

#[test]
fn errors_say_driver_parameter_what_was_given_and_what_is_allowed() {
    for (name, given, expected) in [
        (
            "chunksize",
            Value::from("10MB"),
            r#"every: parameter "chunksize": "10MB" is not a size; allowed: a size, such as 10485760 or 10 MiB, from 5 MiB to 5 GiB"#,
        ),
        (
            "chunksize",
            10.into(),
            r#"10 is out of range (10 bytes); allowed: a size, such as 10485760 or 10 MiB, from 5 MiB to 5 GiB"#,
        ),
        ("chunksize", (-1).into(), "-1 is negative"),
        ("chunksize", "99999999 TiB".into(), "is too large"),
        ("number", 10.into(), "10 is out of range; allowed: an integer from -5 to 9"),
        ("number", "010".into(), r#""010" has a leading zero"#),
        ("number", "7x".into(), r#""7x" is not a whole number"#),
        ("number", Value::Float(1.5), "1.5 is not a whole number"),
        ("number", "9223372036854775808".into(), "is too large"),
        (
            "wait",
            20.into(),
            "20 has no unit; allowed: a duration with its unit, such as 20m or 1h30m, from 1s to 12h",
        ),
        ("wait", "20".into(), r#""20" has no unit"#),
        ("wait", "13h".into(), r#""13h" is out of range"#),
        ("wait", "-1s".into(), "is negative"),
        ("wait", "1 fortnight".into(), "is not a duration"),
        ("delay", "9999999h".into(), "is longer than 292 years"),
        ("switch", "maybe".into(), r#""maybe" is not a boolean; allowed: true or false"#),
        ("switch", 1.into(), "1 is an integer"),
        ("level", "loud".into(), r#""loud" is not one of the choices; allowed: one of off, debug, STANDARD"#),
        ("text", Value::Float(1e7), "put it in quotes"),
        ("text", Value::List(vec!["hush".into()]), "what was given is a list; allowed: a string"),
        ("methods", Value::List(vec![Value::List(vec![])]), "has an item that is a list"),
        ("extra", "x".into(), r#""x" is a string; allowed: a map"#),
        ("rootdirectory", "a\0b".into(), "NUL"),
        (
            "secretkey",
            Value::Float(1.5),
            "what was given is a number with a fraction or exponent: put it in quotes; allowed: a string, kept secret",
        ),
    ] {
        let error = error(&[(name, given)]);
        assert!(error.contains(expected) && error.starts_with("every: parameter"), "{error}");
    }
    let long = error(&[("number", "x".repeat(500).into())]);
    assert!(long.len() < 250, "{long}");
}

#[test]
fn unknown_names_are_errors_with_the_nearest_known_one() {
    let unknown = |name: &str| error(&[(name, "hush".into())]);
    assert_eq!(
        unknown("chunk_size"),
        r#"every: parameter "chunk_size": is unknown; did you mean "chunksize"?"#
    );
    assert_eq!(unknown("Bucket"), r#"every: parameter "Bucket": is unknown; did you mean "bucket"?"#);
    let far = unknown("zzzzzzzz");
    assert!(far.contains("known are text, bucket,") && !far.contains("hush"), "{far}");
    let nested = Value::Map(Parameters::from_iter([("typ", "hush")]));
    assert!(
        error(&[("credentials", nested)])
            .contains(r#""credentials.typ": is unknown; did you mean "credentials.type"?"#)
    );
    assert_eq!(
        unknown("v2auth"),
        r#"every: parameter "v2auth": is not supported: this server has no such thing"#
    );
    // What Distribution ignores does not fail.
    one("connectionstring", "x");
}

#[test]
fn one_of_two_may_be_required() {
    let without = Parameters::from_iter([("bucket", "b")]);
    let error = Every::parse(without.clone()).unwrap_err().to_string();
    assert_eq!(
        error,
        r#"every: parameter "region": is required unless "endpoint" is given; allowed: a string"#
    );
    let mut with_endpoint = without;
    with_endpoint.insert("endpoint", "http://127.0.0.1");
    assert_eq!(Every::parse(with_endpoint).unwrap().region, None);
}

#[test]
fn two_names_for_one_parameter_must_agree() {
    let twice = |b: &str| Every::parse(with(&[("secret", "a".into()), ("secretkey", b.into())]));
    assert_eq!(twice("a").unwrap().secretkey.unwrap().reveal(), "a");
    assert!(
        twice("b")
            .unwrap_err()
            .to_string()
            .contains("is given twice, with different values: also as \"secret\"")
    );
}

#[test]
fn names_match_in_any_case_only_where_the_table_says_so() {
    for name in ["PublicKey", "publickey", "PUBLICKEY"] {
        assert_eq!(AnyCase::parse(Parameters::from_iter([(name, "k")])).unwrap().public_key, "k");
    }
    let error = AnyCase::parse(Parameters::new()).unwrap_err().to_string();
    assert!(error.starts_with(r#"us3: parameter "PublicKey": is required"#), "{error}");
}

#[test]
fn the_table_renders_as_text_and_as_markdown() {
    let text = Every::TABLE.to_string();
    for line in [
        "chunksize\n    a size, such as 10485760 or 10 MiB, from 5 MiB to 5 GiB; default: 10 MiB\n    A size.\n",
        "region\n    a string; required unless endpoint is given\n    Either this or endpoint.\n",
        "    Hidden. Also accepted as secret, hidden.\n",
        "    Nested by name. Deprecated: it is found out\n",
        "connectionstring\n    accepted without effect: it never had an effect\n",
        "v2auth\n    refused: this server has no such thing\n",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    let markdown = Every::TABLE.to_markdown();
    let rows: Vec<&str> = markdown.lines().collect();
    assert_eq!(rows.len(), 2 + Every::TABLE.parameters.len() + 2);
    assert!(rows.contains(&r"| `switch` | true or false | `true` | A switch \| with a bar. |"));
    assert!(rows.contains(&"| `bucket` | a string | required | Text that has to be given. |"));
    let bars = |row: &&&str| row.replace(r"\|", "").matches('|').count() != 5;
    assert_eq!(rows.iter().filter(bars).count(), 0);
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Integer),
        any::<f64>().prop_map(Value::Float),
        "[0-9]{0,6} ?[a-zA-Zµ]{0,3}[0-9.]{0,3}[hms]?".prop_map(Value::String),
        any::<String>().prop_map(Value::String),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::List),
            prop::collection::vec(("[a-z]{1,4}", inner), 0..3)
                .prop_map(|pairs| Value::Map(Parameters::from_iter(pairs))),
        ]
    })
}

proptest! {
    /// No value of any kind panics in any parameter.
    #[test]
    fn nothing_given_panics(index in 0..Every::TABLE.parameters.len(), value in any_value()) {
        let name = Every::TABLE.parameters[index].name;
        let _ = Every::parse(with(&[(name, value)]));
    }

    /// A number in range reads back, whichever way it is written.
    #[test]
    fn numbers_read_back(size in (5_u64 << 20)..=(5 << 30), number in -5_i64..=9, limit in 25_u64..) {
        let all = Every::parse(with(&[
            ("chunksize", size.to_string().into()),
            ("number", format!("{number}").into()),
            ("maxthreads", format!("{limit:#x}").into()),
        ])).unwrap();
        prop_assert_eq!((all.chunksize, all.number, all.maxthreads), (size, number, limit));
        let native = Every::parse(with(&[("chunksize", (size as i64).into())])).unwrap();
        prop_assert_eq!(native.chunksize, size);
    }

    /// A duration as Go prints it reads back.
    #[test]
    fn durations_read_back(h in 0_u64..2000, m in 0_u64..60, s in 0_u64..60, ms in 0_u64..1000) {
        let text = format!("{h}h{m}m{s}.{ms:03}s");
        let expected = Duration::from_millis(((h * 60 + m) * 60 + s) * 1000 + ms);
        prop_assert_eq!(one("delay", text.as_str()).delay, Some(expected));
    }

    /// Wherever a secret stands and whatever else is wrong, nothing shows it.
    #[test]
    fn a_secret_is_never_shown(secret in "[A-Za-z0-9+/]{12,40}", wrong in 0..7_usize) {
        let secret = format!("S{secret}~");
        let mut given = with(&[
            ("secretkey", secret.as_str().into()),
            ("credentials", Value::Map(Parameters::from_iter([("secret", secret.as_str())]))),
            ("extra", Value::Map(Parameters::from_iter([("k", secret.as_str())]))),
        ]);
        match wrong {
            0 => {}
            1 => drop(given.insert("secretkye", secret.as_str())),
            2 => drop(given.insert("hidden", "other")),
            3 => drop(given.insert("secretkey", vec![secret.as_str()])),
            4 => drop(given.insert("secretkey", Parameters::from_iter([("a", secret.as_str())]))),
            5 => drop(given.insert("v2auth", secret.as_str())),
            _ => drop(given.insert("methods", vec![Value::List(vec![secret.as_str().into()])])),
        }
        let mut shown = format!("{given:?} {given:#?} {:?}", Value::Map(given.clone()));
        match Every::parse(given) {
            Ok(all) => {
                prop_assert_eq!(wrong, 0);
                prop_assert_eq!(all.secretkey.as_ref().unwrap().reveal(), secret.as_str());
                shown += &format!("{all:?} {all:#?} {}", all.secretkey.as_ref().unwrap());
            }
            Err(error) => {
                prop_assert_ne!(wrong, 0);
                shown += &format!("{error} {error:?}");
            }
        }
        prop_assert!(!shown.contains(&secret), "{}", shown);
    }
}

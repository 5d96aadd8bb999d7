//! What holds for every file and every environment.
#![cfg(feature = "config")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use storagedriver::{Configuration, Factory, Parameters, Registration, Value};

storagedriver::parameters! {
    /// Some of each.
    pub struct Example for "some" {
        /// Hidden.
        secretkey: Secret,
        /// With an underscore.
        max_retries: Integer = 5,
        /// Nested.
        kind: String { name: "credentials.type" },
        /// Anything.
        labels: Map,
        /// Several.
        methods: List,
    }
}

const SOME: Registration = Registration {
    name: "some",
    crate_name: "test",
    crate_version: "0",
    summary: "",
    table: &Example::TABLE,
    create: |_| Box::pin(async { Err(storagedriver::Error::invalid_configuration("made")) }),
};

fn read(file: &str, env: Vec<(String, String)>) -> storagedriver::Result<Configuration> {
    Configuration::read(file, env.into_iter(), &Factory::new().with(SOME))
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Integer),
        (-1e9..1e9_f64).prop_map(|number| Value::Float(number + 0.5)),
        "[ -~é\n]{0,12}".prop_map(Value::String),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            prop::collection::vec(("[ -~]{1,6}", inner), 0..4)
                .prop_map(|pairs| Value::Map(Parameters::from_iter(pairs))),
        ]
    })
}

/// YAML in flow style, text in double quotes.
fn printed(value: &Value) -> String {
    let quoted = |text: &str| format!("{text:?}");
    match value {
        Value::Null => "~".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "off".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::String(text) => quoted(text),
        Value::List(items) => format!("[{}]", items.iter().map(printed).collect::<Vec<_>>().join(", ")),
        Value::Map(map) => {
            let pairs = map.iter().map(|(name, value)| format!("{}: {}", quoted(name), printed(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

fn a_name() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("SOME"),
        Just("SECRETKEY"),
        Just("MAX"),
        Just("RETRIES"),
        Just("MAX_RETRIES"),
        Just("CREDENTIALS"),
        Just("TYPE"),
        Just("LABELS"),
        Just("METHODS"),
        Just("0"),
        Just("1"),
        Just("9"),
        Just("DELETE"),
        Just("MAINTENANCE"),
        Just("READONLY"),
        Just("ENABLED"),
        Just("STORAGE"),
        Just("OPTIONS"),
        Just("NAME"),
        Just(""),
        Just("é"),
    ];
    (prop_oneof![Just("STORAGE"), Just("MIDDLEWARE")], prop::collection::vec(part, 0..5)).prop_map(
        |(first, parts)| {
            let rest: String = parts.iter().map(|part| format!("_{part}")).collect();
            format!("REGISTRY_{first}{rest}")
        },
    )
}

proptest! {
    /// What is printed as YAML reads back, from the file and from a variable.
    #[test]
    fn printed_values_read_back(value in any_value()) {
        let expected = Value::Map(Parameters::from_iter([("x", value.clone())]));
        let text = printed(&value);
        let from_file = read(&format!("storage: {{other: {{\"x\": {text}}}}}"), vec![]).unwrap();
        prop_assert!(Value::Map(from_file.parameters) == expected, "{}", text);
        let variable = ("REGISTRY_STORAGE_OTHER_X".to_owned(), text.clone());
        let from_env = read("storage: other", vec![variable]).unwrap();
        prop_assert!(Value::Map(from_env.parameters) == expected, "{}", text);
    }

    /// No environment panics, whatever the file has.
    #[test]
    fn no_environment_panics(
        value in any_value(),
        env in prop::collection::vec((a_name(), prop_oneof!["[ -~]{0,12}", any::<String>()]), 0..6),
        driver in prop_oneof![Just("some"), Just("other"), Just("delete")],
    ) {
        let _ = read(&format!("storage: {{{driver}: {}}}", printed(&value)), env.clone());
        let _ = read(&format!("middleware: {}\nstorage: some", printed(&value)), env);
    }

    /// No text panics.
    #[test]
    fn no_file_panics(text in prop_oneof![any::<String>(), "[a-c:{}\\[\\]\"'&*!|>#, \n-]{0,40}"]) {
        let _ = read(&text, vec![]);
        let _ = read("storage: some", vec![("REGISTRY_STORAGE_SOME_X".to_owned(), text)]);
    }

    /// One key of a nested map is replaced, and the others stay as the file has them.
    #[test]
    fn an_override_changes_its_key_alone(
        keys in prop::collection::btree_set("[a-z]{1,5}", 2..6), number in any::<i64>(), pick in any::<prop::sample::Index>(),
    ) {
        let keys: Vec<String> = keys.into_iter().collect();
        let chosen = pick.get(&keys).clone();
        let pairs: Vec<String> = keys.iter().map(|key| format!("{key}: before")).collect();
        let file = format!("storage: {{other: {{outer: {{inner: {{{}}}}}}}}}", pairs.join(", "));
        let name = format!("REGISTRY_STORAGE_OTHER_OUTER_INNER_{}", chosen.to_uppercase());
        let read = read(&file, vec![(name, number.to_string())]).unwrap();
        let Some(inner) = descend(&read.parameters) else { panic!("the maps are gone") };
        for key in &keys {
            let expected = if *key == chosen { Value::Integer(number) } else { Value::from("before") };
            prop_assert!(inner.get(key) == Some(&expected));
        }
        prop_assert_eq!(inner.len(), keys.len());
    }

    /// A secret is in no error and in no debug output, wherever it stands.
    #[test]
    fn a_secret_is_never_shown(secret in "[A-Za-z0-9+/:#{ -]{12,40}", place in 0..6_usize) {
        let secret = format!("S3cr{secret}~");
        let file = match place {
            0 => format!("storage: {{some: {{secretkey: \"{secret}\"}}}}"),
            1 => format!("storage: {{some: {{secretkey: {secret}, {{"),
            2 => format!("storage: {{some: \"{secret}\"}}"),
            3 => format!("storage: some\nmiddleware: {{storage: [{{name: a, options: \"{secret}\"}}]}}"),
            4 => format!("storage: {{some: {{secretkey: \"{secret}\"}}, delete: \"{secret}\"}}"),
            _ => "storage: some".to_owned(),
        };
        let env = [("SECRETKEY", place), ("METHODS_7", 5), ("LABELS_A", 4), ("OTHER", 1)];
        let env = env.iter().filter(|(_, at)| *at == place);
        let env = env.map(|(name, _)| (format!("REGISTRY_STORAGE_SOME_{name}"), secret.clone())).collect();
        let shown = match read(&file, env) {
            Ok(read) => {
                let parsed = Example::parse(read.parameters.clone());
                format!("{read:?} {read:#?} {parsed:?}")
            }
            Err(error) => format!("{error} {error:?}"),
        };
        prop_assert!(!shown.contains(&secret), "{}", shown);
    }
}

fn descend(parameters: &Parameters) -> Option<&Parameters> {
    let Some(Value::Map(outer)) = parameters.get("outer") else { return None };
    let Some(Value::Map(inner)) = outer.get("inner") else { return None };
    Some(inner)
}

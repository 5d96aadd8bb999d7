//! Every rule of Distribution's configuration and environment, and each difference from it.
#![cfg(feature = "config")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use storagedriver::{
    BoxFuture, Configuration, Error, Factory, MiddlewareRegistration, Parameters, Registration, Result,
    Storage, Value,
};

storagedriver::parameters! {
    /// With underscores, as azure.
    pub struct AzureLike for "azure", case_insensitive {
        /// The account.
        accountname: String,
        /// Its key.
        accountkey: Secret { aliases: ["key"] },
        /// How often.
        max_retries: Integer(0 ..) = 5,
        /// How long.
        retry_delay: Duration = "100ms",
        /// Which kind.
        credentials_type: Choice("shared_key", "default_credentials") { name: "credentials.type" },
        /// Anything.
        labels: Map,
        /// Some.
        methods: List,
    }
    ignored { "connectionstring": "Distribution never used it" }
}

fn never(_: Parameters) -> BoxFuture<'static, Result<Storage>> {
    Box::pin(async { Err(Error::invalid_configuration("made")) })
}

const AZURE: Registration = Registration {
    name: "azure",
    crate_name: "test",
    crate_version: "0",
    summary: "",
    table: &AzureLike::TABLE,
    create: never,
};
const HYPHEN: Registration = Registration { name: "my-driver", ..AZURE };

fn factory() -> Factory {
    Factory::new().with(AZURE).with(HYPHEN)
}

fn read(file: &str, env: &[(&str, &str)]) -> Result<Configuration> {
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Configuration::read(file, env, &factory())
}

fn ok(file: &str, env: &[(&str, &str)]) -> Configuration {
    read(file, env).unwrap()
}

#[track_caller]
fn refused(file: &str, env: &[(&str, &str)], says: &str) {
    let error = read(file, env).unwrap_err();
    assert!(matches!(error, Error::InvalidConfiguration { .. }), "{error}");
    assert!(error.to_string().contains(says), "{error}");
}

fn map(pairs: &[(&str, Value)]) -> Parameters {
    Parameters::from_iter(pairs.iter().cloned())
}

/// The parameters as `name=value` with types, to see what failed: Debug does not show values.
fn shown(parameters: &Parameters) -> String {
    fn value(given: &Value) -> String {
        match given {
            Value::Null => "null".to_owned(),
            Value::Bool(b) => b.to_string(),
            Value::Integer(n) => n.to_string(),
            Value::Float(n) => format!("{n:?}"),
            Value::String(s) => format!("{s:?}"),
            Value::List(items) => format!("[{}]", items.iter().map(value).collect::<Vec<_>>().join(",")),
            Value::Map(map) => format!("{{{}}}", shown(map)),
        }
    }
    parameters.iter().map(|(name, v)| format!("{name}={}", value(v))).collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn params(file: &str, env: &[(&str, &str)], expected: &str) {
    assert_eq!(shown(&ok(file, env).parameters), expected);
}

#[test]
fn the_driver_is_a_bare_name_or_the_one_key_that_is_no_section() {
    assert_eq!(ok("storage: inmemory", &[]).driver, "inmemory");
    assert_eq!(ok("storage:\n  inmemory:\n", &[]).parameters, Parameters::new());
    let file = "storage:\n  tag: {}\n  cache: {}\n  delete: {}\n  maintenance: {}\n  s3: {bucket: b}\n";
    assert_eq!(ok(file, &[]).driver, "s3");
    for (file, says) in [
        ("", "no storage driver"),
        ("version: 0.1", "no storage driver"),
        ("storage:", "no storage driver"),
        ("storage: {delete: {enabled: true}}", "no storage driver"),
        ("storage: {s3: {}, filesystem: {}}", "more than one driver: filesystem, s3"),
        ("storage: {s3: text}", "storage.s3 has to be a map"),
        ("storage: [s3]", "it is a list"),
        ("- a", "holds a list"),
        ("storage: {s3: {", "not valid YAML"),
        ("storage: s3\n---\nstorage: s3\n", "second document"),
    ] {
        refused(file, &[], says);
    }
}

#[test]
fn plain_scalars_are_yaml_1_1_and_quoted_ones_are_text() {
    for (plain, expected) in [
        ("yes", "true"),
        ("Off", "false"),
        ("y", "true"),
        ("tRUE", "\"tRUE\""),
        ("~", "null"),
        ("", "null"),
        ("0123", "83"),
        ("0o17", "15"),
        ("0x1F", "31"),
        ("0b101", "5"),
        ("-0x10", "-16"),
        ("1_000", "1000"),
        ("089", "89.0"),
        ("1e7", "10000000.0"),
        ("1e400", "\"1e400\""),
        (".inf", "inf"),
        (".5", "0.5"),
        ("10MB", "\"10MB\""),
        ("18446744073709551615", "\"18446744073709551615\""),
        ("2001-01-01", "\"2001-01-01\""),
        ("'0123'", "\"0123\""),
        ("\"yes\"", "\"yes\""),
        ("!!str 123", "\"123\""),
        ("!!int '0x10'", "16"),
        ("[a, 1]", "[\"a\",1]"),
        ("{a: {b: no}}", "{a={b=false}}"),
    ] {
        params(&format!("storage:\n  s3:\n    x: {plain}\n"), &[], &format!("x={expected}"));
    }
}

#[test]
fn anchors_and_merges_are_followed_and_bounded() {
    let file = "x: &base {region: r, bucket: a}\nstorage:\n  s3:\n    <<: *base\n    bucket: b\n";
    params(file, &[], "bucket=\"b\" region=\"r\"");
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for i in 1..12 {
        let last = format!("*a{}", i - 1);
        bomb += &format!("a{i}: &a{i} [{}]\n", vec![last; 10].join(","));
    }
    refused(&bomb, &[], "too many values");
    refused(&format!("a: {}{}", "[".repeat(90), "]".repeat(90)), &[], "nested too deeply");
    // Also where an alias brings the depth in.
    let (open, shut) = ("[".repeat(40), "]".repeat(40));
    refused(&format!("a: &a {open}{shut}\nb: {open}*a{shut}"), &[], "nested too deeply");
}

#[test]
fn sections_have_the_defaults_of_distribution() {
    let sections = ok("storage: inmemory", &[]).sections;
    assert!(!sections.delete.enabled && !sections.redirect.disable && !sections.maintenance.readonly.enabled);
    assert_eq!((sections.cache.blobdescriptor, sections.cache.blobdescriptorsize), (None, 10000));
    assert_eq!(sections.tag.concurrencylimit, 0);
    let purging = sections.maintenance.uploadpurging;
    assert!(purging.enabled && !purging.dryrun);
    assert_eq!(purging.age.as_secs(), 168 * 3600);
    assert_eq!(purging.interval.as_secs(), 24 * 3600);
}

#[test]
fn sections_are_read_and_what_panics_in_distribution_is_an_error() {
    let with = |section: &str| format!("storage:\n  inmemory:\n  {section}\n");
    assert!(ok(&with("delete: {enabled: yes}"), &[]).sections.delete.enabled);
    assert!(ok(&with("redirect: {disable: true}"), &[]).sections.redirect.disable);
    let cache =
        ok(&with("cache: {layerinfo: redis, blobdescriptorsize: '0', added_later: 1}"), &[]).sections.cache;
    assert_eq!((cache.blobdescriptor.as_deref(), cache.blobdescriptorsize), (Some("redis"), 0));
    assert_eq!(ok(&with("tag: {concurrencylimit: 8}"), &[]).sections.tag.concurrencylimit, 8);
    let maintenance = "maintenance: {readonly: {enabled: true}, uploadpurging: {enabled: false}}";
    let maintenance = ok(&with(maintenance), &[]).sections.maintenance;
    assert!(maintenance.readonly.enabled && !maintenance.uploadpurging.enabled);
    let purging = "maintenance: {uploadpurging: {age: 1h30m, interval: 1h, dryrun: on}}";
    let purging = ok(&with(purging), &[]).sections.maintenance.uploadpurging;
    assert!(purging.enabled && purging.dryrun && purging.age.as_secs() == 5400);
    for (section, says) in [
        ("redirect: {}", "storage.redirect is given without \"disable\""),
        ("redirect:", "storage.redirect is given without \"disable\""),
        ("redirect: {disable: perhaps}", "storage.redirect.disable: \"perhaps\" is not a boolean"),
        ("delete: {enabled: 7}", "storage.delete.enabled"),
        ("delete: 7", "storage.delete has to be a map"),
        ("cache: {blobdescriptorsize: many}", "storage.cache.blobdescriptorsize"),
        ("tag: {concurrencylimit: -1}", "storage.tag.concurrencylimit: -1 is out of range"),
        ("maintenance: {uploadpurging: {age: 1h, interval: 1h}}", "given without \"dryrun\""),
        ("maintenance: {uploadpurging: }", "given without \"age\""),
        (
            "maintenance: {uploadpurging: {age: 7, interval: 1h, dryrun: no}}",
            "uploadpurging.age: 7 has no unit",
        ),
        ("maintenance: {uploadpurging: yes}", "uploadpurging has to be a map"),
    ] {
        refused(&with(section), &[], says);
    }
}

#[test]
fn the_environment_overrides_as_in_distribution() {
    let s3 = "storage: {s3: {bucket: a, region: r}, delete: {enabled: true}}";
    params(s3, &[("REGISTRY_STORAGE_S3_BUCKET", "b")], "bucket=\"b\" region=\"r\"");
    // The whole section; then, in lexical order, what lies below it.
    let env = [("REGISTRY_STORAGE_FILESYSTEM_MAXTHREADS", "0123"), ("REGISTRY_STORAGE", "filesystem")];
    let replaced = ok(s3, &env);
    assert_eq!(
        (replaced.driver.as_str(), shown(&replaced.parameters)),
        ("filesystem", "maxthreads=83".to_owned())
    );
    assert!(!replaced.sections.delete.enabled);
    params(s3, &[("REGISTRY_STORAGE_S3", "{bucket: c}")], "bucket=\"c\"");
    params(s3, &[("REGISTRY_STORAGE_S3_BUCKET", "")], "bucket=null region=\"r\"");
    let leaves =
        [("true", "true"), ("\"true\"", "\"true\""), ("1e7", "10000000.0"), ("[a,b]", "[\"a\",\"b\"]")];
    for (payload, expected) in leaves {
        params("storage: s3", &[("REGISTRY_STORAGE_S3_X", payload)], &format!("x={expected}"));
    }
    // Nothing else is looked at.
    let others =
        [("REGISTRY_HTTP_ADDR", ":1"), ("registry_storage_s3_bucket", "b"), ("REGISTRY_STORAGES", "x")];
    params(s3, &others, "bucket=\"a\" region=\"r\"");
    // A second driver: an error that tells the way out.
    let second = [("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", "/x")];
    refused(s3, &second, "REGISTRY_STORAGE=<name>");
    assert!(ok(s3, &[("REGISTRY_STORAGE_DELETE_ENABLED", "false")]).sections.delete.enabled.eq(&false));
}

#[test]
fn a_name_unknown_to_everybody_nests_as_in_distribution() {
    params("storage: s3", &[("REGISTRY_STORAGE_S3_A_B", "1")], "a={b=1}");
    params("storage: {s3: {A: {b: 1, c: 2}}}", &[("REGISTRY_STORAGE_S3_A_B", "3")], "A={b=3 c=2}");
}

#[test]
fn nested_maps_of_the_file_can_be_overridden_key_by_key() {
    let file = "storage: {inmemory: , maintenance: {readonly: {enabled: false}}}";
    assert!(
        ok(file, &[("REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED", "true")])
            .sections
            .maintenance
            .readonly
            .enabled
    );
    let created = ok("storage: inmemory", &[("REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED", "true")]);
    assert!(created.sections.maintenance.readonly.enabled);
    assert_eq!(created.driver, "inmemory");
    let file = "storage: {azure: {credentials: {type: shared_key, secret: x}}}";
    let env = [("REGISTRY_STORAGE_AZURE_CREDENTIALS_TYPE", "default_credentials")];
    params(file, &env, "credentials={secret=\"x\" type=\"default_credentials\"}");
    refused(file, &[("REGISTRY_STORAGE_AZURE_CREDENTIALS_TYPE_X", "1")], "leads into a string");
}

#[test]
fn a_parameter_with_an_underscore_can_be_set() {
    let env = [("REGISTRY_STORAGE_AZURE_MAX_RETRIES", "7"), ("REGISTRY_STORAGE_AZURE_RETRY_DELAY", "1s")];
    params("storage: azure", &env, "max_retries=7 retry_delay=\"1s\"");
    // The file's own keys count as known too, and free maps take any name.
    params("storage: {s3: {my_key: 1}}", &[("REGISTRY_STORAGE_S3_MY_KEY", "2")], "my_key=2");
    params(
        "storage: azure",
        &[("REGISTRY_STORAGE_AZURE_LABELS_PRIVATE_KEY_ID", "k")],
        "labels={private_key_id=\"k\"}",
    );
    // Of two names that fit, the longer one is meant.
    let file = "storage: {s3: {my: {key: 1}, my_key: 1}}";
    params(file, &[("REGISTRY_STORAGE_S3_MY_KEY", "2")], "my={key=1} my_key=2");
    // A mistyped one stays whole, so that the error names what was meant.
    let given = ok("storage: azure", &[("REGISTRY_STORAGE_AZURE_MAX_RETRYS", "7")]).parameters;
    let error = AzureLike::parse(given).unwrap_err().to_string();
    assert!(error.contains(r#""max_retrys": is unknown; did you mean "max_retries"?"#), "{error}");
    let hyphen =
        ok("storage: azure", &[("REGISTRY_STORAGE", "my-driver"), ("REGISTRY_STORAGE_MY_DRIVER_KEY", "k")]);
    assert_eq!((hyphen.driver.as_str(), shown(&hyphen.parameters)), ("my-driver", "key=\"k\"".to_owned()));
}

#[test]
fn an_override_replaces_the_same_parameter_in_any_spelling() {
    params("storage: {s3: {Bucket: a}}", &[("REGISTRY_STORAGE_S3_BUCKET", "b")], "Bucket=\"b\"");
    let file = "storage: {azure: {AccountName: a, key: old}}";
    let env = [("REGISTRY_STORAGE_AZURE_ACCOUNTNAME", "b"), ("REGISTRY_STORAGE_AZURE_ACCOUNTKEY", "new")];
    params(file, &env, "AccountName=\"b\" accountkey=\"new\"");
}

#[test]
fn text_parameters_are_taken_as_they_stand() {
    for (payload, expected) in [
        ("0123", "\"0123\""),
        ("a #b", "\"a #b\""),
        ("{x", "\"{x\""),
        ("a: b", "\"a: b\""),
        ("yes", "\"yes\""),
        ("'0 1'", "\"0 1\""),
        ("'", "\"'\""),
        ("", "null"),
        ("null", "null"),
    ] {
        let env = [("REGISTRY_STORAGE_AZURE_ACCOUNTKEY", payload)];
        params("storage: azure", &env, &format!("accountkey={expected}"));
    }
}

#[test]
fn lists_are_indexed() {
    let file = "storage: {s3: {l: [a, b]}}";
    params(file, &[("REGISTRY_STORAGE_S3_L_1", "c")], "l=[\"a\",\"c\"]");
    params(
        file,
        &[("REGISTRY_STORAGE_S3_L_2", "c"), ("REGISTRY_STORAGE_S3_L_3", "d")],
        "l=[\"a\",\"b\",\"c\",\"d\"]",
    );
    refused(file, &[("REGISTRY_STORAGE_S3_L_3", "c")], "index 3 is past the end of a list of 2");
    refused(file, &[("REGISTRY_STORAGE_S3_L_X", "c")], "is not an index");
    params("storage: azure", &[("REGISTRY_STORAGE_AZURE_METHODS_0", "GET")], "methods=[\"GET\"]");
}

#[test]
fn a_bad_variable_is_named_and_its_value_is_not() {
    for env in [
        ("REGISTRY_STORAGE_S3_BUCKET", "{hush"),
        ("REGISTRY_STORAGE__X", "hush"),
        ("REGISTRY_STORAGE_S3_BUCKET_X", "hush"),
    ] {
        let error = read("storage: {s3: {bucket: b}}", &[env]).unwrap_err().to_string();
        assert!(error.contains(env.0) && !error.contains("hush"), "{error}");
    }
}

#[test]
fn middleware_is_listed() {
    let file = "storage: inmemory\nmiddleware:\n  registry: [{name: x}]\n  storage:\n    - name: redirect\n      \
                options: {baseurl: 'https://a/'}\n    - {name: other, disabled: true}\n";
    let entries = ok(file, &[]).middleware;
    assert_eq!(entries.len(), 2);
    assert_eq!(
        (entries[0].name.as_str(), shown(&entries[0].options)),
        ("redirect", "baseurl=\"https://a/\"".to_owned())
    );
    assert!(!entries[0].disabled && entries[1].disabled);
    let env = [
        ("REGISTRY_MIDDLEWARE_STORAGE_0_OPTIONS_BASEURL", "https://b/"),
        ("REGISTRY_MIDDLEWARE_STORAGE_2_NAME", "z"),
    ];
    let entries = ok(file, &env).middleware;
    assert_eq!(
        (shown(&entries[0].options), entries[2].name.as_str()),
        ("baseurl=\"https://b/\"".to_owned(), "z")
    );
    let env = [("REGISTRY_MIDDLEWARE_STORAGE", "[{name: q}]")];
    assert_eq!(ok("storage: inmemory", &env).middleware[0].name, "q");
    for (entry, says) in [
        ("{}", "middleware.storage[0] has to have a name"),
        ("{name: a, disable: true}", "unknown key \"disable\""),
        ("{name: a, disabled: perhaps}", "true or false"),
        ("{name: a, options: []}", "\"options\", which has to be a map"),
        ("a", "has to be a map"),
    ] {
        refused(&format!("storage: inmemory\nmiddleware: {{storage: [{entry}]}}"), &[], says);
    }
    refused("storage: inmemory\nmiddleware: {storage: a}", &[], "middleware.storage has to be a list");
}

const WRAPPER: MiddlewareRegistration = MiddlewareRegistration {
    name: "wrapper",
    crate_name: "test",
    crate_version: "0",
    summary: "",
    table: &AzureLike::TABLE,
    wrap: |_, options| {
        Box::pin(async move { Err(Error::invalid_configuration(format!("wrapped with {options:?}"))) })
    },
};

#[tokio::test]
async fn middleware_is_applied_unless_disabled_and_must_be_registered() {
    let with = |disabled: bool| {
        ok(
            &format!("storage: azure\nmiddleware: {{storage: [{{name: wrapper, disabled: {disabled}}}]}}"),
            &[],
        )
    };
    let unknown = with(false).create_with(&factory()).await.unwrap_err().to_string();
    assert!(
        unknown.contains("middleware \"wrapper\" is not supported") && unknown.contains("disabled: true")
    );
    // Disabled, it is passed over: the driver is reached, and answers.
    let passed = with(true).create_with(&factory()).await.unwrap_err().to_string();
    assert_eq!(passed, "configuration: made");
    assert!(factory().with_middleware(WRAPPER).find_middleware("wrapper").unwrap().is_some());
}

#[test]
fn debug_shows_no_value() {
    let configuration = ok("storage: {s3: {secretkey: hush, nested: {deep: hush}}}", &[]);
    let debug = format!("{configuration:?} {configuration:#?}");
    assert!(debug.contains("secretkey") && !debug.contains("hush"), "{debug}");
    assert_eq!(format!("{:?}", Value::from("hush")), "<a string>");
    assert_eq!(format!("{:?}", Value::Map(map(&[("a", Value::from("hush"))]))), "{\"a\"}");
}

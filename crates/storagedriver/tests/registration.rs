//! This file acts as a driver crate: it registers, is found by name, and twice is noticed.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
#![forbid(unsafe_code)]

use storagedriver::bytes::Bytes;
use storagedriver::{
    BoxFuture, Content, DriverWriter, Error, Factory, FileInfo, MiddlewareRegistration, Parameters,
    ReadOptions, Registration, Resolver, Storage, StorageDriver, StoragePath, UploadInfo, WriteMode,
};

storagedriver::parameters! {
    /// Parameters of the driver `outside`.
    pub struct OutsideParameters for "outside" {
        /// The directory that everything lies below.
        rootdirectory: Path = "/var/lib/registry",
        /// How many operations run at once.
        maxthreads: Limit(25) = 100,
    }
}

storagedriver::parameters! {
    /// None.
    pub struct NoParameters for "empty" {}
}

const DRIVER: Registration = Registration {
    name: "outside",
    crate_name: "storagedriver-outside",
    crate_version: "1.2.3",
    summary: "A driver of another crate",
    table: &OutsideParameters::TABLE,
    create: |parameters| {
        Box::pin(async move {
            let parameters = OutsideParameters::parse(parameters)?;
            let reason = format!("{} threads", parameters.maxthreads);
            Err(Error::invalid_parameter("outside", "maxthreads", reason))
        })
    },
};

storagedriver::register!(DRIVER);

const TWICE: Registration = Registration { name: "twice", ..DRIVER };
const TWICE_MORE: Registration = Registration { crate_name: "storagedriver-copy", ..TWICE };

storagedriver::register!(TWICE);
storagedriver::register!(TWICE_MORE);

#[tokio::test]
async fn a_registered_driver_is_found_by_name() {
    let given = Parameters::from_iter([("maxthreads", "0x40")]);
    let error = storagedriver::factory::create("outside", given).await.unwrap_err();
    assert_eq!(error.to_string(), r#"outside: parameter "maxthreads": 64 threads"#);
}

#[tokio::test]
async fn a_name_held_by_two_crates_fails_alone_and_names_both() {
    let error = storagedriver::factory::create("twice", Parameters::new()).await.unwrap_err();
    let Error::DuplicateStorageDriver { crates, .. } = error else { panic!("{error}") };
    assert_eq!(crates, ["storagedriver-copy 1.2.3", "storagedriver-outside 1.2.3"]);
    // One given by hand makes the choice only in a factory of its own.
    assert!(Factory::linked().find("outside").unwrap().is_some());
    assert!(Factory::new().with(TWICE).find("twice").unwrap().is_some());
}

#[test]
fn a_driver_without_parameters_knows_none() {
    assert!(NoParameters::parse(Parameters::new()).is_ok());
    let error = NoParameters::parse(Parameters::from_iter([("x", 1)])).unwrap_err();
    assert_eq!(error.to_string(), r#"empty: parameter "x": is unknown; this driver has no parameters"#);
}

/// A driver that can be made and does nothing.
#[derive(Debug)]
struct Stub(String);

fn no<T>() -> storagedriver::Result<T> {
    Err(Error::unavailable(&StoragePath::root(), "a stub"))
}

#[storagedriver::async_trait]
impl StorageDriver for Stub {
    fn name(&self) -> &str {
        &self.0
    }

    async fn get_content(&self, _: &StoragePath) -> storagedriver::Result<Bytes> {
        no()
    }

    async fn put_content(&self, _: &StoragePath, _: Bytes) -> storagedriver::Result<()> {
        no()
    }

    async fn reader(&self, _: &StoragePath, _: &ReadOptions) -> storagedriver::Result<Content> {
        no()
    }

    async fn writer(&self, _: &StoragePath, _: WriteMode) -> storagedriver::Result<Box<dyn DriverWriter>> {
        no()
    }

    async fn stat(&self, _: &StoragePath) -> storagedriver::Result<FileInfo> {
        no()
    }

    async fn list(&self, _: &StoragePath) -> storagedriver::Result<Vec<FileInfo>> {
        no()
    }

    async fn rename(&self, _: &StoragePath, _: &StoragePath) -> storagedriver::Result<()> {
        no()
    }

    async fn delete(&self, _: &StoragePath) -> storagedriver::Result<()> {
        no()
    }

    async fn uploads(&self, _: &StoragePath) -> storagedriver::Result<Vec<UploadInfo>> {
        no()
    }

    async fn abort_upload(&self, _: &UploadInfo) -> storagedriver::Result<()> {
        no()
    }
}

const STUB: Registration = Registration {
    name: "stub",
    create: |_| Box::pin(async { Ok(Storage::new(Stub("stub".to_owned()))) }),
    ..DRIVER
};

/// Puts the option `rootdirectory` before the name of what it wraps.
const NAMER: MiddlewareRegistration = MiddlewareRegistration {
    name: "namer",
    crate_name: "storagedriver-outside",
    crate_version: "1.2.3",
    summary: "",
    table: &OutsideParameters::TABLE,
    wrap: |storage, options| {
        Box::pin(async move {
            let options = OutsideParameters::parse(options)?;
            Ok(Storage::new(Stub(format!("{}({})", options.rootdirectory.display(), storage.name()))))
        })
    },
};

const FINDER: Resolver = Resolver {
    crate_name: "storagedriver-outside",
    crate_version: "1.2.3",
    resolve: |name, parameters| {
        Box::pin(async move {
            match name.as_str() {
                "found" => Ok(Some(Storage::new(Stub(format!("{name} with {parameters:?}"))))),
                "failing" => Err(Error::unavailable(&StoragePath::root(), "its process died")),
                _ => Ok(None),
            }
        })
    },
};

storagedriver::register!(NAMER);
storagedriver::register!(FINDER);

#[tokio::test]
async fn a_name_that_no_crate_holds_is_asked_of_the_resolvers() {
    let given = Parameters::from_iter([("a", 1)]);
    assert_eq!(storagedriver::factory::create("found", given).await.unwrap().name(), r#"found with {"a"}"#);
    let error = storagedriver::factory::create("failing", Parameters::new()).await.unwrap_err().to_string();
    assert!(error.starts_with("failing: create") && error.contains("its process died"), "{error}");
    // Those of a factory are asked in their order, and only for names that a driver may have.
    let echo = |name: String, _| -> BoxFuture<'static, _> {
        Box::pin(async move { Ok(Some(Storage::new(Stub(format!("echo {name}"))))) })
    };
    let factory = Factory::linked().with_resolver(echo);
    assert_eq!(factory.create("found", Parameters::new()).await.unwrap().name(), "found with {}");
    assert_eq!(factory.create("other", Parameters::new()).await.unwrap().name(), "echo other");
    for name in ["", "../x", "Found", "a_b", "ä"] {
        let error = factory.create(name, Parameters::new()).await.unwrap_err();
        assert!(matches!(error, Error::InvalidStorageDriver { .. }), "{error}");
    }
    // A driver goes before every resolver, also one that fails.
    let error = factory.create("twice", Parameters::new()).await.unwrap_err();
    assert!(matches!(error, Error::DuplicateStorageDriver { .. }), "{error}");
}

#[tokio::test]
async fn an_unknown_name_lists_what_is_registered() {
    let error = storagedriver::factory::create("s3", Parameters::new()).await.unwrap_err();
    let Error::InvalidStorageDriver { name, registered, .. } = &error else { panic!("{error}") };
    assert_eq!((name.as_str(), registered.join(" ")), ("s3", "outside twice".to_owned()));
    let error = Factory::new().create("outside", Parameters::new()).await.unwrap_err().to_string();
    assert!(error.contains("registered: none"), "{error}");
}

#[tokio::test]
async fn what_is_given_by_hand_takes_the_place_of_the_same_crates() {
    let mine = Registration { create: STUB.create, ..DRIVER };
    let storage = Factory::linked().with(mine).create("outside", Parameters::new()).await.unwrap();
    assert_eq!(storage.name(), "stub");
    let other = Registration { crate_version: "2.0.0", ..mine };
    let error = Factory::linked().with(other).create("outside", Parameters::new()).await.unwrap_err();
    let Error::DuplicateStorageDriver { crates, .. } = error else { panic!("{error}") };
    assert_eq!(crates, ["storagedriver-outside 1.2.3", "storagedriver-outside 2.0.0"]);
}

#[test]
fn drivers_are_listed_by_name() {
    let listed: Vec<_> =
        storagedriver::factory::registered().iter().map(|driver| format!("{driver:?}")).collect();
    let outside = "outside (storagedriver-outside 1.2.3)";
    assert_eq!(listed, [outside, "twice (storagedriver-copy 1.2.3)", "twice (storagedriver-outside 1.2.3)"]);
}

#[cfg(feature = "config")]
#[tokio::test]
async fn a_configuration_makes_the_driver_inside_its_middleware() {
    let file = "storage: stub\nmiddleware:\n  storage:\n    - {name: namer, options: {rootdirectory: a}}\n    \
                - {name: namer, disabled: true}\n    - {name: namer, options: {rootdirectory: b}}\n";
    let configuration = storagedriver::Configuration::from_yaml(file).unwrap();
    let storage = configuration.create_with(&Factory::linked().with(STUB)).await.unwrap();
    assert_eq!(storage.name(), "b(a(stub))");
    let error = configuration.create().await.unwrap_err();
    assert!(matches!(error, Error::InvalidStorageDriver { .. }), "{error}");
    let copy = MiddlewareRegistration { crate_name: "storagedriver-copy", ..NAMER };
    let twice = Factory::linked().with(STUB).with_middleware(copy);
    let error = configuration.create_with(&twice).await.unwrap_err().to_string();
    assert!(
        error.contains("registered more than once") && error.contains("storagedriver-copy 1.2.3"),
        "{error}"
    );
}

//! This file acts as a driver crate: it registers, is found by name, and twice is noticed.
#![forbid(unsafe_code)]

use storagedriver::{Error, Factory, Parameters, Registration};

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

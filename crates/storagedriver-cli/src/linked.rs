//! The drivers and the middleware that this program can hold. Each is a feature: with it the crate is
//! named here, which links it, and linked it registers itself.

use storagedriver::Configuration;

/// What one feature adds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// The feature of `storagedriver-cli`.
    pub(crate) feature: &'static str,
    /// The crate that holds it, with `_` for `-`.
    pub(crate) krate: &'static str,
    kind: Kind,
    /// The names under which the crate registers drivers or middleware.
    names: &'static [&'static str],
    /// Whether this program was built with it.
    built: bool,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The name before a storage's parameters, or the key below `storage:`.
    Driver,
    /// The name of an entry below `middleware.storage`.
    Middleware,
}

/// One line each: `Kind feature: crate [names]`.
macro_rules! parts {
    ($($(#[$where:meta])? $kind:ident $feature:literal: $krate:ident [$($name:literal)+];)+) => {
        $($(#[$where])? #[cfg(feature = $feature)] use $krate as _;)+

        /// Every feature that adds a driver or a middleware.
        const PARTS: &[Part] = &[$(Part {
            feature: $feature,
            krate: stringify!($krate),
            kind: Kind::$kind,
            names: &[$($name),+],
            built: cfg!(feature = $feature),
        }),+];
    };
}

parts! {
    Driver "azure": storagedriver_azure ["azure"];
    Driver "bos": storagedriver_bos ["bos"];
    #[cfg(unix)]
    Driver "external": storagedriver_ipc ["external"];
    Driver "filesystem": storagedriver_filesystem ["filesystem"];
    Driver "gcs": storagedriver_gcs ["gcs"];
    Driver "hdfs": storagedriver_hdfs ["hdfs"];
    Driver "inmemory": storagedriver_inmemory ["inmemory"];
    Driver "objectstore": storagedriver_objectstore ["objectstore"];
    Driver "obs": storagedriver_obs ["obs"];
    Driver "opendal": storagedriver_opendal ["opendal"];
    Driver "oss": storagedriver_oss ["oss"];
    Driver "s3": storagedriver_s3 ["s3" "s3aws"];
    Driver "storj": storagedriver_storj ["storj"];
    Driver "swift": storagedriver_swift ["swift"];
    Driver "us3": storagedriver_us3 ["us3"];
    Middleware "cloudfront": storagedriver_middleware ["cloudfront"];
    Middleware "middleware": storagedriver_middleware ["redirect" "rewrite"];
}

/// A driver or a middleware that this program was built without.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} {name:?} is not in this program: build it with `--features {}`, which adds the crate {}",
    match .part.kind { Kind::Driver => "driver", Kind::Middleware => "storage middleware" },
    .part.feature,
    .part.krate.replace('_', "-")
)]
pub(crate) struct NotBuilt {
    /// What was asked for.
    pub(crate) name: String,
    part: &'static Part,
}

impl NotBuilt {
    /// Says so of a name that no driver in the program has; `None` if no feature adds one of that name.
    pub(crate) fn driver(name: &str) -> Option<Self> {
        Self::among(PARTS, Kind::Driver, name)
    }

    /// Says so of the first middleware that a configuration uses, that is not here, and that a feature adds.
    pub(crate) fn middleware(configuration: &Configuration) -> Option<Self> {
        let mut used = configuration.middleware.iter().filter(|entry| !entry.disabled);
        used.find_map(|entry| Self::among(PARTS, Kind::Middleware, &entry.name))
    }

    /// Says so of anything that has a name and parameters.
    pub(crate) fn any(name: &str) -> Option<Self> {
        Self::driver(name).or_else(|| Self::among(PARTS, Kind::Middleware, name))
    }

    fn among(parts: &'static [Part], kind: Kind, name: &str) -> Option<Self> {
        let part = parts.iter().find(|part| part.kind == kind && part.names.contains(&name))?;
        (!part.built).then(|| NotBuilt { name: name.to_owned(), part })
    }

    /// What the name stands for.
    pub(crate) fn kind(&self) -> Kind {
        self.part.kind
    }
}

#[cfg(test)]
mod tests {
    use storagedriver::Factory;

    use super::*;

    #[test]
    fn a_part_that_was_left_out_is_told_with_its_feature_and_its_crate() {
        const LEFT_OUT: &[Part] = &[Part {
            feature: "tape",
            krate: "storagedriver_tape",
            kind: Kind::Driver,
            names: &["tape", "dat"],
            built: false,
        }];
        let told = NotBuilt::among(LEFT_OUT, Kind::Driver, "dat").unwrap();
        assert_eq!(
            told.to_string(),
            "driver \"dat\" is not in this program: build it with `--features tape`, which adds the crate \
             storagedriver-tape"
        );
        assert!(NotBuilt::among(LEFT_OUT, Kind::Driver, "reel").is_none());
        assert!(NotBuilt::among(LEFT_OUT, Kind::Middleware, "dat").is_none());
        assert!(NotBuilt::driver("no-such-driver").is_none());
    }

    /// What is registered is what the lines say: so their names are right, and none was forgotten.
    #[test]
    fn the_lines_tell_what_is_linked() {
        let factory = Factory::linked();
        let drivers = factory.registered().into_iter().map(|driver| (driver.name, driver.crate_name));
        let middleware = factory.middleware_names().into_iter().filter_map(|name| {
            factory.find_middleware(name).unwrap().map(|middleware| (name, middleware.crate_name))
        });
        let mut registered: Vec<_> = drivers
            .map(|found| (Kind::Driver, found))
            .chain(middleware.map(|found| (Kind::Middleware, found)))
            .map(|(kind, (name, krate))| format!("{kind:?} {name} of {krate}"))
            .collect();
        let built = PARTS.iter().filter(|part| part.built);
        let mut told: Vec<_> = built
            .flat_map(|part| part.names.iter().map(move |name| (part, name)))
            .map(|(part, name)| format!("{:?} {name} of {}", part.kind, part.krate.replace('_', "-")))
            .collect();
        registered.sort();
        told.sort();
        assert_eq!(told, registered);
    }
}

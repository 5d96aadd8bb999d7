//! Drivers for one vendor's store: parameters of their own, made into those of `s3`.

use storagedriver::url::Url;
use storagedriver::{Error, Parameters, Result, Secret, Storage};

use crate::profile::Addressing;
use crate::{Profile, S3Options, S3Parameters};

/// What the parameters of a preset come to: those of the driver `s3`, and what it decides beyond them.
/// [`preset!`](crate::preset!) makes a driver of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Preset {
    /// As the driver `s3` has them.
    pub parameters: S3Parameters,
    /// The name of the driver, the quirks of the store, and more.
    pub options: S3Options,
}

impl Preset {
    /// The driver of this name, on a bucket of a server with these quirks; everything else as `s3` has it
    /// by default. [`server`] makes the server of a parameter.
    ///
    /// # Errors
    /// `InvalidParameter` if the bucket has no name.
    pub fn new(driver: &'static str, profile: &Profile, server: &Url, bucket: &str) -> Result<Self> {
        if bucket.is_empty() {
            return Err(Error::invalid_parameter(driver, "bucket", "has to be the name of a bucket"));
        }
        let given = Parameters::from_iter([("bucket", bucket), ("regionendpoint", server.as_str())]);
        let options = S3Options::new(driver).with_profile(profile.clone());
        Ok(Preset { parameters: S3Parameters::parse(given)?, options })
    }

    /// With these keys. A preset that asks for them never sends those that the environment has for Amazon.
    #[must_use]
    pub fn with_keys(mut self, key: &str, secret: &Secret) -> Self {
        self.parameters.accesskey = Some(key.to_owned());
        self.parameters.secretkey = Some(secret.clone());
        self
    }

    /// With requests signed for this region.
    #[must_use]
    pub fn with_region(mut self, region: &str) -> Self {
        self.parameters.region = Some(region.to_owned());
        self
    }

    /// With the bucket in this place of URLs.
    #[must_use]
    pub fn with_addressing(mut self, addressing: Addressing) -> Self {
        if let Some(profile) = &mut self.options.profile {
            profile.addressing = addressing;
        }
        self
    }

    /// The storage. Makes no request.
    ///
    /// # Errors
    /// As [`S3Parameters::into_storage`].
    pub fn into_storage(self) -> Result<Storage> {
        self.parameters.into_storage_with(self.options)
    }
}

/// The text of a parameter that becomes a label of a host, such as a region.
///
/// # Errors
/// `InvalidParameter`, naming driver and parameter, if no host can have it.
pub fn label<'a>(driver: &str, parameter: &str, text: &'a str) -> Result<&'a str> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if text.is_empty() || text.starts_with('-') || text.ends_with('-') || !text.bytes().all(legal) {
        let reason = "has to be letters, digits and dashes: it becomes part of a host";
        return Err(Error::invalid_parameter(driver, parameter, reason));
    }
    Ok(text)
}

/// The server that a parameter of a preset names: a host, with a port if need be, or a URL. Without a
/// scheme `secure` tells it.
///
/// ```
/// let url = storagedriver_s3::server("example", "endpoint", "s3.example.com:9000", true)?;
/// assert_eq!(url.as_str(), "https://s3.example.com:9000/");
/// assert!(storagedriver_s3::server("example", "endpoint", "s3 example", true).is_err());
/// # Ok::<(), storagedriver::Error>(())
/// ```
///
/// # Errors
/// `InvalidParameter`, naming driver and parameter, if it is neither.
pub fn server(driver: &str, parameter: &str, text: &str, secure: bool) -> Result<Url> {
    let scheme = if secure { "https" } else { "http" };
    let whole = if text.contains("://") { text.to_owned() } else { format!("{scheme}://{text}") };
    let usable = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    };
    Url::parse(&whole).ok().filter(usable).ok_or_else(|| {
        let reason = "has to be a host, or a URL of http or https, without user, query and fragment";
        Error::invalid_parameter(driver, parameter, reason)
    })
}

/// Makes a driver out of a vendor's parameters and a function that makes a [`Preset`] of them.
///
/// It makes the struct, as [`parameters!`](storagedriver::parameters!) does, with a few parameters more
/// that every preset has (`sessiontoken`, `redirectendpoint`, `multipartuploadmaxconcurrency`, `useragent`,
/// `skipverify`, `stalltimeout`, `connecttimeout`, `maxattempts`); `into_preset` and `into_storage`; and
/// `DRIVER`, the registration, which is registered. The function `preset` is the preset's own.
///
/// ```
/// use storagedriver::{Parameters, RedirectRequest, Result};
/// use storagedriver_s3::{Addressing, Preset, Profile, server};
///
/// storagedriver_s3::preset! {
///     "a bucket of Example's store",
///     /// Parameters of the driver `example`.
///     pub struct ExampleParameters for "example" {
///         /// The key.
///         key: String = required,
///         /// Its secret.
///         secret: Secret = required,
///         /// The bucket.
///         bucket: String = required,
///         /// The region.
///         region: String = required,
///     }
/// }
///
/// impl ExampleParameters {
///     fn preset(&self) -> Result<Preset> {
///         let server = server("example", "region", &format!("s3.{}.example.com", self.region), true)?;
///         let preset = Preset::new("example", &Profile::GENERIC, &server, &self.bucket)?;
///         Ok(preset
///             .with_keys(&self.key, &self.secret)
///             .with_region(&self.region)
///             .with_addressing(Addressing::VirtualHost))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let given = [("key", "k"), ("secret", "s"), ("bucket", "layers"), ("region", "north")];
/// let storage = storagedriver::factory::create("example", Parameters::from_iter(given)).await?;
/// let url = storage.redirect_url(&RedirectRequest::get(), "/blob").await?;
/// assert_eq!(url.as_ref().and_then(|url| url.host_str()), Some("layers.s3.north.example.com"));
/// # Ok(())
/// # }
/// ```
#[macro_export]
macro_rules! preset {
    (
        $summary:literal,
        $(#[$meta:meta])*
        $vis:vis struct $name:ident for $driver:literal $(, $case:ident)? { $($own:tt)* }
        $($notes:tt)*
    ) => {
        $crate::__private::storagedriver::parameters! {
            $(#[$meta])*
            $vis struct $name for $driver $(, $case)? {
                $($own)*
                /// The session token, if the key is a temporary one.
                sessiontoken: Secret,
                /// Scheme and host that redirects lead to instead of the endpoint.
                redirectendpoint: String,
                /// How many parts of one upload are on their way at once.
                multipartuploadmaxconcurrency: Integer(1 ..= 1000) = 4,
                /// What is added to the `User-Agent`.
                useragent: String,
                /// Whether any certificate is accepted. For tests alone.
                skipverify: Bool = false,
                /// How long no byte may move before a request counts as dead.
                stalltimeout: Duration(1 s ..) = "60s",
                /// How long a connection may take to stand.
                connecttimeout: Duration(1 s ..) = "10s",
                /// How often a request is sent before its failure counts, the first time included.
                maxattempts: Integer(1 ..= 100) = 8,
            }
            $($notes)*
        }

        impl $name {
            /// What these parameters come to: those of the driver `s3`, the quirks of the store, the name of
            /// this driver. For programs that change something in it.
            ///
            /// # Errors
            /// `InvalidParameter` if a parameter can have no meaning for this store.
            $vis fn into_preset(self) -> $crate::__private::storagedriver::Result<$crate::Preset> {
                let mut preset = self.preset()?;
                let parameters = &mut preset.parameters;
                parameters.sessiontoken = self.sessiontoken;
                parameters.redirectendpoint = self.redirectendpoint;
                parameters.multipartuploadmaxconcurrency = self.multipartuploadmaxconcurrency;
                parameters.useragent = self.useragent;
                parameters.skipverify = self.skipverify;
                parameters.stalltimeout = self.stalltimeout;
                parameters.connecttimeout = self.connecttimeout;
                parameters.maxattempts = self.maxattempts;
                ::core::result::Result::Ok(preset)
            }

            /// The storage: what the factory makes of these parameters. Makes no request.
            ///
            /// # Errors
            /// `InvalidParameter` if a parameter can have no meaning for this store, or contradicts another.
            $vis fn into_storage(
                self,
            ) -> $crate::__private::storagedriver::Result<$crate::__private::storagedriver::Storage> {
                self.into_preset()?.into_storage()
            }
        }

        /// The registration of this driver.
        $vis const DRIVER: $crate::__private::storagedriver::Registration =
            $crate::__private::storagedriver::Registration::new(
                $driver,
                env!("CARGO_PKG_NAME"),
                env!("CARGO_PKG_VERSION"),
                $summary,
                &$name::TABLE,
                |parameters| {
                    ::std::boxed::Box::pin(async move { $name::parse(parameters)?.into_storage() })
                },
            );

        $crate::__private::storagedriver::register!(DRIVER);
    };
}

//! The driver `storj` of `storagedriver`: registry storage in a bucket of Storj, with the name and layout of
//! the driver that a fork of CNCF Distribution has. It is the S3 driver (`storagedriver-s3`) with other
//! parameters, and speaks to Storj's S3 gateway, so it takes S3 keys and not an access grant: here is the
//! table that says what each parameter comes to. Making a driver sends no request.
//!
//! ```
//! use storagedriver::{Parameters, RedirectRequest};
//! use storagedriver_storj::StorjParameters;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> storagedriver::Result<()> {
//! let storage = StorjParameters::parse(Parameters::from_iter([
//!     ("accesskey", "example"),
//!     ("secretkey", "example"),
//!     ("bucket", "layers"),
//! ]))?
//! .into_storage()?;
//! let url = storage.redirect_url(&RedirectRequest::get(), "/blobs/data").await?;
//! assert_eq!(url.as_ref().and_then(|url| url.host_str()), Some("gateway.storjshare.io"));
//! # Ok(())
//! # }
//! ```
#![doc(html_root_url = "https://docs.rs/storagedriver-storj")]

use storagedriver::Result;
use storagedriver_s3::{Preset, Profile, server};

storagedriver_s3::preset! {
    "a bucket of Storj, by its S3 gateway",
    /// Parameters of the driver `storj`.
    pub struct StorjParameters for "storj" {
        /// The access key of S3 credentials.
        accesskey: String = required,
        /// The secret key of S3 credentials.
        secretkey: Secret = required,
        /// The bucket; it has to exist.
        bucket: String = required,
        /// The gateway.
        endpoint: String = "gateway.storjshare.io",
        /// Whether https is used where `endpoint` has no scheme.
        secure: Bool = true,
        /// The size of the first parts of an upload.
        chunksize: Bytes(64 MiB ..= 5 GiB) = 64 MiB,
        /// The prefix of all keys. The fork has none.
        rootdirectory: String = "",
    }
    refused {
        "accessgrant": "it belongs to Storj's own protocol, and this driver speaks to the S3 gateway; make S3 credentials of the same grant (`uplink access register`, or in the console an access key of the type S3 Credentials, with the same passphrase), and give accesskey and secretkey"
    }
}

impl StorjParameters {
    fn preset(&self) -> Result<Preset> {
        let server = server("storj", "endpoint", &self.endpoint, self.secure)?;
        let mut preset = Preset::new("storj", &Profile::STORJ, &server, &self.bucket)?
            .with_keys(&self.accesskey, &self.secretkey);
        preset.parameters.chunksize = self.chunksize;
        preset.parameters.rootdirectory.clone_from(&self.rootdirectory);
        Ok(preset)
    }
}

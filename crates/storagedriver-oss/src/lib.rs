//! The driver `oss` of `storagedriver`: registry storage in a bucket of Alibaba Cloud OSS, with the name,
//! parameters and layout of the driver that CNCF Distribution v2 had. It is the S3 driver
//! (`storagedriver-s3`) with other parameters, and speaks the S3 protocol of OSS: here is the table that
//! says what each parameter comes to. Making a driver sends no request.
//!
//! ```
//! use storagedriver::{Parameters, RedirectRequest};
//! use storagedriver_oss::OssParameters;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> storagedriver::Result<()> {
//! let storage = OssParameters::parse(Parameters::from_iter([
//!     ("accesskeyid", "LTAIEXAMPLE"),
//!     ("accesskeysecret", "example"),
//!     ("region", "oss-cn-hangzhou"),
//!     ("bucket", "layers"),
//! ]))?
//! .into_storage()?;
//! let url = storage.redirect_url(&RedirectRequest::get(), "/blobs/data").await?;
//! assert_eq!(url.as_ref().and_then(|url| url.host_str()), Some("layers.s3.oss-cn-hangzhou.aliyuncs.com"));
//! # Ok(())
//! # }
//! ```
#![doc(html_root_url = "https://docs.rs/storagedriver-oss")]

use storagedriver::{Error, Result};
use storagedriver_s3::{Addressing, Preset, Profile, label, server};

storagedriver_s3::preset! {
    "a bucket of Alibaba Cloud OSS",
    /// Parameters of the driver `oss`.
    pub struct OssParameters for "oss" {
        /// The AccessKey ID.
        accesskeyid: String = required,
        /// The AccessKey secret.
        accesskeysecret: Secret = required,
        /// The region as the hosts of OSS have it, with its prefix: `oss-cn-hangzhou`.
        region: String = required,
        /// The bucket; it has to exist. Capitals in its name count as small letters.
        bucket: String = required,
        /// Whether the region's internal host is used, which only machines in that region reach.
        internal: Bool = false,
        /// The host of the bucket itself, in place of that which `region` and `internal` make:
        /// `layers.oss-cn-hangzhou.aliyuncs.com`, or a domain of yours that is bound to the bucket.
        endpoint: String,
        /// Whether https is used where `endpoint` has no scheme.
        secure: Bool = true,
        /// Whether OSS is asked to encrypt what is written, with its own keys.
        encrypt: Bool = false,
        /// The KMS key to encrypt with. Given, `encrypt` is `true`.
        encryptionkeyid: String,
        /// The size of the first parts of an upload.
        chunksize: Bytes(5 MiB ..= 5 GiB) = 10 MiB,
        /// The prefix of all keys.
        rootdirectory: String = "",
    }
}

impl OssParameters {
    fn preset(&self) -> Result<Preset> {
        let bucket = self.bucket.to_lowercase();
        let region = label("oss", "region", &self.region)?;
        let (server, addressing) = match &self.endpoint {
            Some(host) => (server("oss", "endpoint", &s3_host(host, &bucket), self.secure)?, Addressing::Own),
            None if !region.starts_with("oss-") => {
                let reason =
                    "has to be written as the hosts of OSS have it, with its prefix: oss-cn-hangzhou";
                return Err(Error::invalid_parameter("oss", "region", reason));
            }
            None => {
                let internal = if self.internal { "-internal" } else { "" };
                let host = format!("s3.{region}{internal}.aliyuncs.com");
                (server("oss", "region", &host, self.secure)?, Addressing::VirtualHost)
            }
        };
        let mut preset = Preset::new("oss", &Profile::OSS, &server, &bucket)?
            .with_keys(&self.accesskeyid, &self.accesskeysecret)
            .with_region(region.trim_start_matches("oss-"))
            .with_addressing(addressing);
        let s3 = &mut preset.parameters;
        s3.encrypt = self.encrypt || self.encryptionkeyid.is_some();
        s3.keyid.clone_from(&self.encryptionkeyid);
        s3.chunksize = self.chunksize;
        s3.rootdirectory.clone_from(&self.rootdirectory);
        Ok(preset)
    }
}

/// The host where OSS speaks S3, for one where it speaks its own protocol; any other as it is.
fn s3_host(host: &str, bucket: &str) -> String {
    match host.contains(".aliyuncs.com") {
        true => host.replacen(&format!("{bucket}.oss-"), &format!("{bucket}.s3.oss-"), 1),
        false => host.to_owned(),
    }
}

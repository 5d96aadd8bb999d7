//! The driver `us3` of `storagedriver`: registry storage in a bucket of UCloud US3, with the name,
//! parameters and layout of the driver that a fork of CNCF Distribution has. It is the S3 driver
//! (`storagedriver-s3`) with other parameters, and speaks the S3 protocol of US3: here is the table that
//! says what each parameter comes to. Making a driver sends no request.
//!
//! ```
//! use storagedriver::{Parameters, RedirectRequest};
//! use storagedriver_us3::Us3Parameters;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> storagedriver::Result<()> {
//! let storage = Us3Parameters::parse(Parameters::from_iter([
//!     ("PublicKey", "TOKEN_example"),
//!     ("PrivateKey", "example"),
//!     ("Bucket", "layers"),
//!     ("Regin", "cn-bj"),
//!     ("Endpoint", "cn-bj.ufileos.com"),
//! ]))?
//! .into_storage()?;
//! let url = storage.redirect_url(&RedirectRequest::get(), "/blobs/data").await?;
//! assert_eq!(url.as_ref().and_then(|url| url.host_str()), Some("s3-cn-bj.ufileos.com"));
//! # Ok(())
//! # }
//! ```
#![doc(html_root_url = "https://docs.rs/storagedriver-us3")]

use storagedriver::url::Url;
use storagedriver::{Error, Result};
use storagedriver_s3::{Addressing, Preset, Profile, server};

/// The size of all parts but the last, and of the ranges that copies are made of: US3 takes no other.
const PART: u64 = 8 << 20;

storagedriver_s3::preset! {
    "a bucket of UCloud US3",
    /// Parameters of the driver `us3`.
    pub struct Us3Parameters for "us3", case_insensitive {
        /// The public key, or a token.
        publickey: String = required { name: "PublicKey" },
        /// The private key.
        privatekey: Secret = required { name: "PrivateKey" },
        /// The bucket; it has to exist.
        bucket: String = required { name: "Bucket" },
        /// The region that requests are signed for: `cn-bj`. So spelt by the fork.
        regin: String = required { name: "Regin", aliases: ["Region"] },
        /// The server: `cn-bj.ufileos.com`, which counts as its S3 host `s3-cn-bj.ufileos.com`, or
        /// `internal.s3-cn-bj.ufileos.com`. Without a scheme http is used.
        endpoint: String { name: "Endpoint", required_unless: "CustomDomain" },
        /// The URL of the bucket itself, in place of `Endpoint`: that of a domain that is bound to it.
        customdomain: String { name: "CustomDomain" },
        /// Whether the MD5 of what is uploaded is sent with it. The SHA-256 is in any case.
        verifyuploadmd5: Bool = false { name: "VerifyUploadMD5" },
        /// The prefix of all keys.
        rootdirectory: String = "" { name: "RootDirectory" },
    }
    ignored {
        "Api": "it is where buckets are made and listed, and this driver does neither"
    }
}

impl Us3Parameters {
    fn preset(&self) -> Result<Preset> {
        let (server, addressing) = match (&self.customdomain, &self.endpoint) {
            (Some(domain), _) => (server("us3", "CustomDomain", domain, false)?, Addressing::Own),
            (None, endpoint) => (s3_server(endpoint.as_deref().unwrap_or_default())?, Addressing::Path),
        };
        let mut preset = Preset::new("us3", &Profile::US3, &server, &self.bucket)?
            .with_keys(&self.publickey, &self.privatekey)
            .with_region(&self.regin)
            .with_addressing(addressing);
        preset.options.content_md5 = self.verifyuploadmd5;
        let s3 = &mut preset.parameters;
        s3.chunksize = PART;
        s3.multipartcopychunksize = PART;
        s3.rootdirectory.clone_from(&self.rootdirectory);
        Ok(preset)
    }
}

/// The server where US3 speaks S3, for one where it speaks its own protocol; another's as it is.
fn s3_server(endpoint: &str) -> Result<Url> {
    let given = server("us3", "Endpoint", endpoint, false)?;
    let host = given.host_str().unwrap_or_default();
    let Some(name) = host.strip_suffix(".ufileos.com") else { return Ok(given) };
    match name.strip_prefix("internal.").unwrap_or(name) {
        s3 if s3.starts_with("s3-") => Ok(given),
        region if region == name && !region.contains('.') && !region.starts_with("internal") => {
            server("us3", "Endpoint", &endpoint.replacen(region, &format!("s3-{region}"), 1), false)
        }
        _ => {
            let reason = "is a host of US3's own protocol; give that of S3: s3-<region>.ufileos.com, or in the region's \
                          own network internal.s3-<region>.ufileos.com";
            Err(Error::invalid_parameter("us3", "Endpoint", reason))
        }
    }
}

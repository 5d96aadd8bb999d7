//! The driver `bos` of `storagedriver`: registry storage in a bucket of Baidu Cloud BOS, with the name,
//! parameters and layout of the driver that a fork of CNCF Distribution has. It is the S3 driver
//! (`storagedriver-s3`) with other parameters, and speaks the S3 protocol of BOS: here is the table that
//! says what each parameter comes to. Making a driver sends no request.
//!
//! ```
//! use storagedriver::{Parameters, RedirectRequest};
//! use storagedriver_bos::BosParameters;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> storagedriver::Result<()> {
//! let storage = BosParameters::parse(Parameters::from_iter([
//!     ("accesskeyid", "EXAMPLE"),
//!     ("accesskeysecret", "example"),
//!     ("region", "bj"),
//!     ("bucket", "layers"),
//! ]))?
//! .into_storage()?;
//! let url = storage.redirect_url(&RedirectRequest::get(), "/blobs/data").await?;
//! assert_eq!(url.as_ref().and_then(|url| url.host_str()), Some("layers.s3.bj.bcebos.com"));
//! # Ok(())
//! # }
//! ```
#![doc(html_root_url = "https://docs.rs/storagedriver-bos")]

use storagedriver::Result;
use storagedriver_s3::{Preset, Profile, label, server};

storagedriver_s3::preset! {
    "a bucket of Baidu Cloud BOS",
    /// Parameters of the driver `bos`.
    pub struct BosParameters for "bos" {
        /// The access key.
        accesskeyid: String = required,
        /// The secret of the access key.
        accesskeysecret: Secret = required,
        /// The region that the bucket is in: `bj`, `bd`, `su`, `gz`, `fwh`, `hkg`. `hk` counts as `hkg`.
        region: String = required,
        /// The bucket; it has to exist.
        bucket: String = required,
        /// The server, without the bucket, in place of the region's: `bj.bcebos.com`.
        endpoint: String,
        /// Whether https is used where `endpoint` has no scheme.
        secure: Bool = true,
        /// The size of the parts of an upload, which has 10,000 at most.
        chunksize: Bytes(5 MiB ..= 5 GiB) = 10 MiB,
        /// The prefix of all keys.
        rootdirectory: String = "",
    }
    ignored {
        "debug": "requests that are sent again are reported to `tracing` at the level debug, whatever it says; the subscriber chooses"
    }
}

impl BosParameters {
    fn preset(&self) -> Result<Preset> {
        let region = match label("bos", "region", &self.region)? {
            "hk" => "hkg",
            region => region,
        };
        let server = match &self.endpoint {
            Some(host) => server("bos", "endpoint", &s3_host(host), self.secure)?,
            None => server("bos", "region", &format!("s3.{region}.bcebos.com"), self.secure)?,
        };
        let mut preset = Preset::new("bos", &Profile::BOS, &server, &self.bucket)?
            .with_keys(&self.accesskeyid, &self.accesskeysecret)
            .with_region(region);
        preset.parameters.chunksize = self.chunksize;
        preset.parameters.rootdirectory.clone_from(&self.rootdirectory);
        Ok(preset)
    }
}

/// The host where BOS speaks S3, for one where it speaks its own protocol (`bj.bcebos.com`); any other as it
/// is.
fn s3_host(host: &str) -> String {
    let (scheme, bare) = match host.split_once("://") {
        Some((scheme, bare)) => (format!("{scheme}://"), bare),
        None => (String::new(), host),
    };
    match bare.split_once(".bcebos.com") {
        Some((region, _)) if !region.contains('.') => format!("{scheme}s3.{bare}"),
        _ => host.to_owned(),
    }
}

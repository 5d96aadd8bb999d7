//! The driver `obs` of `storagedriver`: registry storage in a bucket of Huawei Cloud OBS, with the name,
//! parameters and layout of the driver that a fork of CNCF Distribution has. It is the S3 driver
//! (`storagedriver-s3`) with other parameters, and speaks the S3 protocol of OBS: here is the table that
//! says what each parameter comes to. Making a driver sends no request.
//!
//! ```
//! use storagedriver::{Parameters, RedirectRequest};
//! use storagedriver_obs::ObsParameters;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> storagedriver::Result<()> {
//! let storage = ObsParameters::parse(Parameters::from_iter([
//!     ("accesskey", "EXAMPLE"),
//!     ("secretkey", "example"),
//!     ("endpoint", "obs.cn-north-4.myhuaweicloud.com"),
//!     ("bucket", "layers"),
//! ]))?
//! .into_storage()?;
//! let url = storage.redirect_url(&RedirectRequest::get(), "/blobs/data").await?;
//! assert_eq!(url.as_ref().and_then(|url| url.host_str()), Some("layers.obs.cn-north-4.myhuaweicloud.com"));
//! # Ok(())
//! # }
//! ```
#![doc(html_root_url = "https://docs.rs/storagedriver-obs")]

use storagedriver::{Error, Result};
use storagedriver_s3::{Preset, Profile, server};

storagedriver_s3::preset! {
    "a bucket of Huawei Cloud OBS",
    /// Parameters of the driver `obs`.
    pub struct ObsParameters for "obs" {
        /// The access key.
        accesskey: String = required,
        /// The secret of the access key.
        secretkey: Secret = required,
        /// The server, with a port if need be: `obs.cn-north-4.myhuaweicloud.com`. Without a scheme https is used.
        endpoint: String = required,
        /// The bucket; it has to exist.
        bucket: String = required,
        /// The region that requests are signed for. Left out, that of an endpoint `obs.<region>.…`, else `us-east-1`.
        region: String,
        /// Whether OBS is asked to encrypt what is written, with a key of its KMS.
        encrypt: Bool = false,
        /// The KMS key to encrypt with; left out, the default one. Has no effect unless `encrypt` is `true`.
        keyid: String { aliases: ["encryptionkeyid"] },
        /// The size of the first parts of an upload.
        chunksize: Bytes(5 MiB ..= 5 GiB) = 10 MiB,
        /// The size of a part where an object is copied in parts.
        multipartcopychunksize: Bytes(5 MiB ..= 5 GiB) = 32 MiB,
        /// How many parts of one copy are made at once.
        multipartcopymaxconcurrency: Integer(1 ..) = 100,
        /// Objects larger than this are copied in parts.
        multipartcopythresholdsize: Bytes(0 ..= 5 GiB) = 32 MiB,
        /// The prefix of all keys.
        rootdirectory: String = "",
        /// The class that objects are stored in; `NONE` asks for none. `COLD` is refused.
        storageclass: Choice("STANDARD", "NONE", "WARM", "COLD") = "STANDARD",
        /// The canned ACL of objects. The last three are refused: they are ACLs of buckets.
        objectacl: Choice(
            "private", "public-read", "public-read-write", "authenticated-read", "bucket-owner-read",
            "bucket-owner-full-control", "log-delivery-write", "public-read-delivered", "public-read-write-delivered"
        ) = "private",
    }
}

impl ObsParameters {
    fn preset(&self) -> Result<Preset> {
        let invalid = |parameter: &str, reason: &str| Err(Error::invalid_parameter("obs", parameter, reason));
        if self.objectacl.ends_with("-delivered") || self.objectacl == "log-delivery-write" {
            return invalid(
                "objectacl",
                "is an ACL of buckets, which no object can have; set it on the bucket",
            );
        }
        let server = server("obs", "endpoint", &self.endpoint, true)?;
        let mut preset = Preset::new("obs", &Profile::OBS, &server, &self.bucket)?
            .with_keys(&self.accesskey, &self.secretkey);
        let s3 = &mut preset.parameters;
        s3.storageclass = match self.storageclass {
            "COLD" => {
                let reason =
                    "is COLD: what is archived cannot be read until it was restored; take STANDARD or WARM";
                return invalid("storageclass", reason);
            }
            // As the S3 protocol calls it.
            "WARM" => "STANDARD_IA",
            class => class,
        };
        s3.objectacl = self.objectacl;
        let mut labels = server.host_str().unwrap_or_default().split('.');
        let of_host =
            labels.next().filter(|first| *first == "obs").and_then(|_| labels.next()).map(str::to_owned);
        s3.region = self.region.clone().or(of_host);
        s3.encrypt = self.encrypt;
        s3.keyid.clone_from(&self.keyid);
        s3.chunksize = self.chunksize;
        s3.multipartcopychunksize = self.multipartcopychunksize;
        s3.multipartcopymaxconcurrency = self.multipartcopymaxconcurrency;
        s3.multipartcopythresholdsize = Some(self.multipartcopythresholdsize);
        s3.rootdirectory.clone_from(&self.rootdirectory);
        Ok(preset)
    }
}

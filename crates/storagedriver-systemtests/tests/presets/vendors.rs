//! The vendors: a configuration as their forks document it, and a server with their rules.

use storagedriver::{Parameters, Result};
use storagedriver_object::http::HttpOptions;
use storagedriver_s3::{PartSizes, Preset};
use storagedriver_testservers::{
    Addressing, ConditionalWrites, ListV2, PartSizes as Served, S3Options, S3Server,
};

/// A driver, and what its store is like.
#[derive(Clone, Copy)]
pub(crate) struct Vendor {
    pub(crate) driver: &'static str,
    /// From parameters to the driver `s3`.
    pub(crate) preset: fn(Parameters) -> Result<Preset>,
    /// A configuration of a bucket `bucket`, over http.
    pub(crate) given: &'static [(&'static str, &'static str)],
    /// The host and the beginning of the path of an object's URL.
    pub(crate) object: (&'static str, &'static str),
    /// What its store is like, where parts may be as small as the tests want them.
    pub(crate) rules: fn() -> S3Options,
}

/// The least part of the servers here: small, so that few bytes make many parts.
pub(crate) const MIN_PART: u64 = 1024;
/// The size of parts.
pub(crate) const PART: u64 = 4 * MIN_PART;

/// What is the same for all of them: no conditions on writes, and no upload that is completed without some of
/// its parts.
fn any_vendor() -> S3Options {
    S3Options {
        min_part: MIN_PART,
        conditional_writes: ConditionalWrites::Ignored,
        stray_parts: false,
        aws_chunked: false,
        url_encoding: false,
        ..S3Options::default()
    }
}

pub(crate) const OSS: Vendor = Vendor {
    driver: "oss",
    preset: |given| storagedriver_oss::OssParameters::parse(given)?.into_preset(),
    given: &[
        ("accesskeyid", "access"),
        ("accesskeysecret", "secret"),
        ("region", "oss-cn-hangzhou"),
        ("bucket", "bucket"),
        ("secure", "false"),
    ],
    object: ("bucket.s3.oss-cn-hangzhou.aliyuncs.com", "/"),
    rules: || S3Options {
        region: "cn-hangzhou".to_owned(),
        domain: Some("s3.oss-cn-hangzhou.aliyuncs.com".to_owned()),
        addressing: Addressing::VirtualHostOnly,
        batch_delete: false,
        lists_uploads: false,
        storage_classes: Some(&[]),
        acls: Some(&["private", "public-read", "public-read-write"]),
        ..any_vendor()
    },
};

pub(crate) const OBS: Vendor = Vendor {
    driver: "obs",
    preset: |given| storagedriver_obs::ObsParameters::parse(given)?.into_preset(),
    given: &[
        ("accesskey", "access"),
        ("secretkey", "secret"),
        ("endpoint", "http://obs.cn-north-4.myhuaweicloud.com"),
        ("bucket", "bucket"),
    ],
    object: ("bucket.obs.cn-north-4.myhuaweicloud.com", "/"),
    rules: || S3Options {
        region: "cn-north-4".to_owned(),
        domain: Some("obs.cn-north-4.myhuaweicloud.com".to_owned()),
        addressing: Addressing::VirtualHostOnly,
        list_v2: ListV2::Refused,
        storage_classes: Some(&["STANDARD", "STANDARD_IA"]),
        acls: Some(&[
            "private",
            "public-read",
            "public-read-write",
            "authenticated-read",
            "bucket-owner-read",
            "bucket-owner-full-control",
        ]),
        ..any_vendor()
    },
};

pub(crate) const BOS: Vendor = Vendor {
    driver: "bos",
    preset: |given| storagedriver_bos::BosParameters::parse(given)?.into_preset(),
    given: &[
        ("accesskeyid", "access"),
        ("accesskeysecret", "secret"),
        ("region", "bj"),
        ("bucket", "bucket"),
        ("secure", "false"),
    ],
    object: ("bucket.s3.bj.bcebos.com", "/"),
    rules: || S3Options {
        region: "bj".to_owned(),
        domain: Some("s3.bj.bcebos.com".to_owned()),
        list_v2: ListV2::Refused,
        part_sizes: Served::Equal,
        storage_classes: Some(&[]),
        ..any_vendor()
    },
};

pub(crate) const US3: Vendor = Vendor {
    driver: "us3",
    preset: |given| storagedriver_us3::Us3Parameters::parse(given)?.into_preset(),
    given: &[
        ("PublicKey", "access"),
        ("PrivateKey", "secret"),
        ("Bucket", "bucket"),
        ("Regin", "cn-bj"),
        ("Endpoint", "cn-bj.ufileos.com"),
        ("VerifyUploadMD5", "true"),
    ],
    object: ("s3-cn-bj.ufileos.com", "/bucket/"),
    rules: || S3Options {
        region: "cn-bj".to_owned(),
        domain: Some("s3-cn-bj.ufileos.com".to_owned()),
        list_v2: ListV2::Refused,
        part_sizes: Served::Exactly(PART),
        put_limit: 8 << 20,
        storage_class_and_acl: false,
        ..any_vendor()
    },
};

pub(crate) const STORJ: Vendor = Vendor {
    driver: "storj",
    preset: |given| storagedriver_storj::StorjParameters::parse(given)?.into_preset(),
    given: &[("accesskey", "access"), ("secretkey", "secret"), ("bucket", "bucket"), ("secure", "false")],
    object: ("gateway.storjshare.io", "/bucket/"),
    rules: || S3Options {
        domain: Some("gateway.storjshare.io".to_owned()),
        ordered: false,
        start_after: false,
        slash_prefixes: true,
        part_copy: false,
        lists_uploads: false,
        conditional_copy: false,
        storage_class_and_acl: false,
        ..any_vendor()
    },
};

/// All of them.
pub(crate) const ALL: [Vendor; 5] = [OSS, OBS, BOS, US3, STORJ];

impl Vendor {
    /// A driver on `server`, which takes the place of the vendor's host, with the parts of the vendor.
    pub(crate) fn preset(&self, server: &S3Server, more: &[(&str, &str)]) -> Preset {
        let mut given = Parameters::from_iter(self.given.iter().copied());
        for (name, value) in more {
            given.insert(*name, *value);
        }
        let mut preset = (self.preset)(given).expect("valid parameters");
        let mut http = HttpOptions::default();
        http.proxy = Some(server.endpoint().parse().expect("a URL"));
        preset.options = preset.options.with_http(http);
        preset
    }

    /// The same with small parts and pages of `page` names.
    pub(crate) fn small(&self, server: &S3Server, page: usize, more: &[(&str, &str)]) -> Preset {
        let mut preset = self.preset(server, more);
        let profile = preset.options.profile.as_mut().expect("a preset has a profile");
        profile.min_part = MIN_PART;
        profile.page = page;
        if matches!(profile.parts, PartSizes::Exactly(_)) {
            profile.parts = PartSizes::Exactly(PART);
        }
        preset.parameters.chunksize = PART;
        preset.parameters.multipartcopychunksize = PART;
        preset.parameters.multipartcopythresholdsize = Some(2 * PART);
        preset
    }
}

//! What parameters come to: hosts, addressing, the region that is signed, and what is refused.

use storagedriver::{Guarantee, Parameters, RedirectRequest, Result, Storage, factory};

use crate::vendors::{ALL, BOS, OBS, OSS, STORJ, US3, Vendor};

/// The vendor's configuration with these parameters in place of its own, and without those that are empty.
fn given(vendor: &Vendor, more: &[(&str, &str)]) -> Parameters {
    let own = vendor.given.iter().filter(|(name, _)| !more.iter().any(|(other, _)| name == other));
    Parameters::from_iter(own.chain(more).copied().filter(|(_, value)| !value.is_empty()))
}

fn open(vendor: &Vendor, more: &[(&str, &str)]) -> Result<Storage> {
    (vendor.preset)(given(vendor, more))?.into_storage()
}

/// Where the URL of `/a` leads, and the region that it is signed for.
async fn url(vendor: &Vendor, more: &[(&str, &str)]) -> String {
    let storage = open(vendor, more).unwrap();
    let url = storage.redirect_url(&RedirectRequest::get(), "/a").await.unwrap().unwrap();
    let (_, key) = url.query_pairs().find(|(name, _)| name == "X-Amz-Credential").unwrap();
    let region = key.split('/').nth(2).unwrap().to_owned();
    format!("{}{} {region}", url.origin().ascii_serialization(), url.path())
}

#[tokio::test]
async fn oss() {
    for (more, wanted) in [
        (&[("secure", "")][..], "https://bucket.s3.oss-cn-hangzhou.aliyuncs.com/a cn-hangzhou"),
        (&[], "http://bucket.s3.oss-cn-hangzhou.aliyuncs.com/a cn-hangzhou"),
        (&[("internal", "true")], "http://bucket.s3.oss-cn-hangzhou-internal.aliyuncs.com/a cn-hangzhou"),
        (&[("region", "oss-eu-central-1")], "http://bucket.s3.oss-eu-central-1.aliyuncs.com/a eu-central-1"),
        // A bucket counts in small letters.
        (&[("bucket", "BuckeT")], "http://bucket.s3.oss-cn-hangzhou.aliyuncs.com/a cn-hangzhou"),
        // The endpoint has the bucket in it, and goes before `internal`.
        (
            &[("endpoint", "bucket.oss-cn-beijing-internal.aliyuncs.com"), ("internal", "true")],
            "http://bucket.s3.oss-cn-beijing-internal.aliyuncs.com/a cn-hangzhou",
        ),
        (
            &[("endpoint", "bucket.s3.oss-accelerate.aliyuncs.com"), ("secure", "true")],
            "https://bucket.s3.oss-accelerate.aliyuncs.com/a cn-hangzhou",
        ),
        (
            &[("endpoint", "layers.example.com:8443"), ("region", "cn-hangzhou"), ("secure", "true")],
            "https://layers.example.com:8443/a cn-hangzhou",
        ),
        (&[("rootdirectory", "/r/s/")], "http://bucket.s3.oss-cn-hangzhou.aliyuncs.com/r/s/a cn-hangzhou"),
        // Clients outside are not led to the internal host, if that is wished.
        (
            &[("internal", "true"), ("redirectendpoint", "https://s3.oss-cn-hangzhou.aliyuncs.com")],
            "https://bucket.s3.oss-cn-hangzhou.aliyuncs.com/a cn-hangzhou",
        ),
    ] {
        assert_eq!(url(&OSS, more).await, wanted, "{more:?}");
    }
}

#[tokio::test]
async fn obs() {
    for (more, wanted) in [
        (
            &[("endpoint", "obs.cn-north-4.myhuaweicloud.com")][..],
            "https://bucket.obs.cn-north-4.myhuaweicloud.com/a cn-north-4",
        ),
        (&[], "http://bucket.obs.cn-north-4.myhuaweicloud.com/a cn-north-4"),
        (
            &[("endpoint", "https://obs.eu-west-101.myhuaweicloud.eu:8443")],
            "https://bucket.obs.eu-west-101.myhuaweicloud.eu:8443/a eu-west-101",
        ),
        // An address has no subdomain.
        (&[("endpoint", "https://10.0.0.1")], "https://10.0.0.1/bucket/a us-east-1"),
        (
            &[("endpoint", "storage.example.com"), ("region", "here-1")],
            "https://bucket.storage.example.com/a here-1",
        ),
    ] {
        assert_eq!(url(&OBS, more).await, wanted, "{more:?}");
    }
}

#[tokio::test]
async fn bos() {
    for (more, wanted) in [
        (&[("secure", "")][..], "https://bucket.s3.bj.bcebos.com/a bj"),
        (&[("region", "gz")], "http://bucket.s3.gz.bcebos.com/a gz"),
        (&[("region", "hk")], "http://bucket.s3.hkg.bcebos.com/a hkg"),
        (&[("endpoint", "bj.bcebos.com")], "http://bucket.s3.bj.bcebos.com/a bj"),
        (
            &[("endpoint", "https://s3.su.bcebos.com"), ("region", "su")],
            "https://bucket.s3.su.bcebos.com/a su",
        ),
        (&[("endpoint", "store.example.com:81")], "http://bucket.store.example.com:81/a bj"),
    ] {
        assert_eq!(url(&BOS, more).await, wanted, "{more:?}");
    }
}

#[tokio::test]
async fn us3() {
    for (more, wanted) in [
        (&[][..], "http://s3-cn-bj.ufileos.com/bucket/a cn-bj"),
        (&[("Endpoint", "s3-cn-bj.ufileos.com")], "http://s3-cn-bj.ufileos.com/bucket/a cn-bj"),
        (&[("Endpoint", "https://hk.ufileos.com"), ("Regin", "hk")], "https://s3-hk.ufileos.com/bucket/a hk"),
        (
            &[("Endpoint", "internal.s3-cn-bj.ufileos.com")],
            "http://internal.s3-cn-bj.ufileos.com/bucket/a cn-bj",
        ),
        (&[("Endpoint", "us3.example.com:81")], "http://us3.example.com:81/bucket/a cn-bj"),
        (&[("CustomDomain", "https://layers.example.com")], "https://layers.example.com/a cn-bj"),
        (
            &[("CustomDomain", "http://layers.example.com"), ("Endpoint", "")],
            "http://layers.example.com/a cn-bj",
        ),
        (&[("RootDirectory", "/r")], "http://s3-cn-bj.ufileos.com/bucket/r/a cn-bj"),
        (&[("Regin", ""), ("Region", "cn-gd")], "http://s3-cn-bj.ufileos.com/bucket/a cn-gd"),
        (&[("Api", "api.ucloud.cn")], "http://s3-cn-bj.ufileos.com/bucket/a cn-bj"),
    ] {
        assert_eq!(url(&US3, more).await, wanted, "{more:?}");
    }
    // As the environment gives names: in small letters.
    let small =
        US3.given.iter().map(|(name, value)| (name.to_lowercase(), storagedriver::Value::from(*value)));
    assert!((US3.preset)(small.collect()).is_ok());
}

#[tokio::test]
async fn storj() {
    for (more, wanted) in [
        (&[("secure", "")][..], "https://gateway.storjshare.io/bucket/a us-east-1"),
        (&[("endpoint", "http://127.0.0.1:7777")], "http://127.0.0.1:7777/bucket/a us-east-1"),
        (&[("rootdirectory", "r")], "http://gateway.storjshare.io/bucket/r/a us-east-1"),
    ] {
        assert_eq!(url(&STORJ, more).await, wanted, "{more:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_the_reason() {
    for (vendor, more, parameter, reason) in [
        (OSS, &[("region", "cn-hangzhou")][..], "region", "oss-cn-hangzhou"),
        (OSS, &[("region", "oss-x/y")], "region", "part of a host"),
        (OSS, &[("accesskeyid", "")], "accesskeyid", "required"),
        (OSS, &[("endpoint", "user:word@host")], "endpoint", "without user"),
        (OSS, &[("chunksize", "1048576")], "chunksize", "5 MiB"),
        (OBS, &[("endpoint", "")], "endpoint", "required"),
        (OBS, &[("storageclass", "COLD")], "storageclass", "restored"),
        (OBS, &[("storageclass", "GLACIER")], "storageclass", "WARM"),
        (OBS, &[("objectacl", "public-read-delivered")], "objectacl", "ACL of buckets"),
        (OBS, &[("objectacl", "log-delivery-write")], "objectacl", "ACL of buckets"),
        (OBS, &[("multipartcopychunksize", "1")], "multipartcopychunksize", "5 MiB"),
        (BOS, &[("region", "")], "region", "required"),
        (BOS, &[("region", "bj.evil.example/")], "region", "part of a host"),
        (BOS, &[("encrypt", "true")], "encrypt", "unknown"),
        (US3, &[("Regin", "")], "Regin", "required"),
        (US3, &[("Endpoint", "")], "Endpoint", "CustomDomain"),
        (US3, &[("Endpoint", "internal-cn-bj.ufileos.com")], "Endpoint", "internal.s3-<region>"),
        (US3, &[("Endpoint", "bucket.cn-bj.ufileos.com")], "Endpoint", "own protocol"),
        (US3, &[("CustomDomain", "ftp://h")], "CustomDomain", "http"),
        (US3, &[("chunksize", "16777216")], "chunksize", "unknown"),
        (STORJ, &[("accessgrant", "1grant")], "accessgrant", "uplink access register"),
        (STORJ, &[("accesskey", "")], "accesskey", "required"),
        (STORJ, &[("chunksize", "10 MiB")], "chunksize", "64 MiB"),
        (STORJ, &[("redirectendpoint", "cdn")], "redirectendpoint", "scheme"),
    ] {
        let error = open(&vendor, more).expect_err(&format!("{} {more:?}", vendor.driver)).to_string();
        let named = format!("{}: parameter \"{parameter}\"", vendor.driver);
        assert!(error.starts_with(&named) && error.contains(reason), "{more:?}: {error}");
        assert!(!error.contains("word") && !error.contains("1grant"), "{error}");
    }
}

#[tokio::test]
async fn the_factory_knows_them_and_no_secret_shows() {
    for vendor in ALL {
        let storage = factory::create(vendor.driver, given(&vendor, &[])).await.unwrap();
        assert_eq!(storage.name(), vendor.driver);
        let preset = (vendor.preset)(given(&vendor, &[])).unwrap();
        assert!(!format!("{preset:?} {storage:?}").contains("\"secret\""), "{preset:?}");
        let lacking: Vec<_> = storage.guarantees().lacking().collect();
        let wanted = [Guarantee::AtomicRename, Guarantee::FencedUploads, Guarantee::ShorterResume];
        assert_eq!(lacking, wanted, "{}", vendor.driver);
    }
}

#[test]
fn the_debug_switch_of_bos_has_no_effect() {
    assert!(open(&BOS, &[("debug", "true")]).is_ok());
}

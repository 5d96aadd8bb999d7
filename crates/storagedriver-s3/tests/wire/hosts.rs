//! Where requests and redirects go, by the URLs that a driver signs.

use storagedriver::{Parameters, RedirectRequest};
use storagedriver_s3::S3Parameters;

async fn origin(given: &[(&str, &str)]) -> Result<String, String> {
    let keys = [("accesskey", "access"), ("secretkey", "secret"), ("rootdirectory", "/r")];
    let mut all = Parameters::from_iter(keys);
    for (name, value) in given {
        all.insert(*name, *value);
    }
    if all.get("bucket").is_none() {
        all.insert("bucket", "layers");
    }
    let storage =
        S3Parameters::parse(all).and_then(S3Parameters::into_storage).map_err(|error| error.to_string())?;
    let url = storage.redirect_url(&RedirectRequest::get(), "/a").await.map_err(|error| error.to_string())?;
    let url = url.ok_or("no URL")?;
    Ok(format!("{}{}", url.origin().ascii_serialization(), url.path()))
}

#[tokio::test]
async fn parameters_choose_the_host() {
    for (given, url) in [
        (&[("region", "eu-west-1")][..], "https://layers.s3.eu-west-1.amazonaws.com/r/a"),
        (
            &[("region", "eu-west-1"), ("forcepathstyle", "true")],
            "https://s3.eu-west-1.amazonaws.com/layers/r/a",
        ),
        (&[("region", "eu-west-1"), ("secure", "false")], "http://layers.s3.eu-west-1.amazonaws.com/r/a"),
        (
            &[("region", "eu-west-1"), ("bucket", "a.layers")],
            "https://s3.eu-west-1.amazonaws.com/a.layers/r/a",
        ),
        (
            &[("region", "us-east-1"), ("usedualstack", "true")],
            "https://layers.s3.dualstack.us-east-1.amazonaws.com/r/a",
        ),
        (
            &[("region", "us-east-1"), ("accelerate", "true")],
            "https://layers.s3-accelerate.amazonaws.com/r/a",
        ),
        (
            &[("region", "us-east-1"), ("accelerate", "true"), ("forcepathstyle", "true")],
            "https://layers.s3-accelerate.amazonaws.com/r/a",
        ),
        (
            &[("region", "us-gov-west-1"), ("usefipsendpoint", "true")],
            "https://layers.s3-fips.us-gov-west-1.amazonaws.com/r/a",
        ),
        (&[("region", "cn-north-1")], "https://layers.s3.cn-north-1.amazonaws.com.cn/r/a"),
        (&[("regionendpoint", "s3.example.com")], "https://s3.example.com/layers/r/a"),
        (
            &[("regionendpoint", "s3.example.com:81"), ("secure", "false")],
            "http://s3.example.com:81/layers/r/a",
        ),
        (
            &[("regionendpoint", "http://s3.example.com"), ("forcepathstyle", "false")],
            "http://layers.s3.example.com/r/a",
        ),
        (&[("regionendpoint", "http://10.0.0.1"), ("forcepathstyle", "false")], "http://10.0.0.1/layers/r/a"),
        (
            &[("regionendpoint", "https://fra1.digitaloceanspaces.com")],
            "https://layers.fra1.digitaloceanspaces.com/r/a",
        ),
        (
            &[("regionendpoint", "https://s3.oss-cn-beijing.aliyuncs.com")],
            "https://layers.s3.oss-cn-beijing.aliyuncs.com/r/a",
        ),
        (
            &[("region", "eu-west-1"), ("redirectendpoint", "https://cdn.example.com")],
            "https://layers.cdn.example.com/r/a",
        ),
        (
            &[("regionendpoint", "http://10.0.0.1"), ("redirectendpoint", "https://cdn.example.com:8443/")],
            "https://cdn.example.com:8443/layers/r/a",
        ),
    ] {
        assert_eq!(origin(given).await.as_deref(), Ok(url), "{given:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_the_reason() {
    let region = ("region", "eu-west-1");
    for (given, parameter, reason) in [
        (&[][..], "region", "required unless"),
        (&[("region", "middle-earth")], "region", "regionendpoint"),
        (&[region, ("v4auth", "false")], "v4auth", "SHA-1"),
        (&[region, ("bucket", "a/b")], "bucket", "slash"),
        (&[region, ("bucket", "a.b"), ("accelerate", "true")], "accelerate", "dot"),
        (&[region, ("accelerate", "true"), ("usefipsendpoint", "true")], "accelerate", "FIPS"),
        (&[("regionendpoint", "http://h"), ("accelerate", "true")], "accelerate", "names the host"),
        (&[("regionendpoint", "http://h"), ("usedualstack", "true")], "usedualstack", "names the host"),
        (&[("regionendpoint", "ftp://h")], "regionendpoint", "http"),
        (&[("regionendpoint", "http://user:pass@h")], "regionendpoint", "without user"),
        (&[("regionendpoint", "http://h?x")], "regionendpoint", "query"),
        (&[region, ("redirectendpoint", "cdn.example.com")], "redirectendpoint", "scheme"),
        (&[region, ("redirectendpoint", "https://h/path")], "redirectendpoint", "nothing else"),
        (&[region, ("redirectendpoint", "https://h?q")], "redirectendpoint", "nothing else"),
        (&[region, ("sessiontoken", "t"), ("accesskey", "")], "sessiontoken", "belongs to"),
        (&[region, ("chunksize", "1048576")], "chunksize", "5"),
        (&[region, ("storageclass", "COLD")], "storageclass", "STANDARD"),
        (
            &[region, ("profile", "gcs-interop"), ("storageclass", "STANDARD_IA")],
            "storageclass",
            "gcs-interop",
        ),
        (&[region, ("profile", "r2"), ("objectacl", "public-read")], "objectacl", "r2"),
        (&[region, ("useragent", "a\nb")], "useragent", "header"),
    ] {
        let error = origin(given).await.expect_err(&format!("{given:?}"));
        assert!(error.contains(parameter) && error.contains(reason), "{given:?}: {error}");
        assert!(!error.contains("pass@"), "{error}");
    }
}

#[tokio::test]
async fn what_has_no_effect_is_taken() {
    let given =
        [("region", "eu-west-1"), ("loglevel", "debugwithhttpbody"), ("keyid", "k"), ("v4auth", "true")];
    assert!(origin(&given).await.is_ok());
}

#[tokio::test]
async fn both_names_make_the_driver() {
    for name in ["s3", "s3aws"] {
        let given = Parameters::from_iter([("bucket", "layers"), ("region", "eu-west-1")]);
        let storage = storagedriver::factory::create(name, given).await.unwrap();
        assert_eq!(storage.name(), name);
    }
}

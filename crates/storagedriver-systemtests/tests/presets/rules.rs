//! The rules of the servers bite: a driver that knows no quirk fails on each.

use storagedriver::Storage;
use storagedriver_s3::{Profile, S3Options as Options, S3Parameters};
use storagedriver_testservers::{Addressing, ListV2, PartSizes, S3Options, S3Server};

use crate::operations::everything;
use crate::vendors::{ALL, MIN_PART, PART};

/// The driver `s3` with the profile `generic`, its parts a little larger than those of US3.
fn generic(server: &S3Server, region: &str, more: &[(&str, &str)]) -> Storage {
    let endpoint = server.endpoint();
    let mut given = storagedriver::Parameters::from_iter([
        ("bucket", "bucket"),
        ("region", region),
        ("regionendpoint", endpoint.as_str()),
        ("accesskey", server.access_key()),
        ("secretkey", server.secret_key()),
    ]);
    for (name, value) in more {
        given.insert(*name, *value);
    }
    let mut parameters = S3Parameters::parse(given).unwrap();
    parameters.chunksize = PART + 512;
    parameters.multipartcopychunksize = PART;
    parameters.multipartcopythresholdsize = Some(2 * PART);
    let mut profile = Profile::GENERIC;
    profile.min_part = MIN_PART;
    profile.page = 10;
    parameters.into_storage_with(Options::new("s3").with_profile(profile)).unwrap()
}

fn lenient() -> S3Options {
    S3Options { min_part: MIN_PART, ..S3Options::default() }
}

#[tokio::test]
async fn where_there_is_no_rule_the_generic_profile_works() {
    let server = S3Server::start(lenient()).unwrap();
    everything(&generic(&server, "us-east-1", &[])).await.unwrap();
}

/// What a server keeps, parameters beside those that every storage has, and what the refusal names.
type Rule<'a> = (S3Options, &'a [(&'a str, &'a str)], &'a str);

#[tokio::test]
async fn each_rule_bites() {
    let class = [("storageclass", "GLACIER_IR")];
    let acl = [("objectacl", "aws-exec-read")];
    let rules: [Rule<'_>; 12] = [
        (
            S3Options { addressing: Addressing::VirtualHostOnly, ..lenient() },
            &[],
            "SecondLevelDomainForbidden",
        ),
        (S3Options { part_sizes: PartSizes::Exactly(PART), ..lenient() }, &[], "InvalidPart"),
        (S3Options { put_limit: PART, ..lenient() }, &[], "EntityTooLarge"),
        (S3Options { list_v2: ListV2::Refused, ..lenient() }, &[], "list-type=2"),
        (S3Options { part_copy: false, ..lenient() }, &[], "UploadPartCopy"),
        (S3Options { batch_delete: false, ..lenient() }, &[], "DeleteObjects"),
        (S3Options { ordered: false, ..lenient() }, &[], "does not advance"),
        (S3Options { slash_prefixes: true, ..lenient() }, &[], "a prefix that does not end in /"),
        (S3Options { lists_uploads: false, ..lenient() }, &[], "ListMultipartUploads"),
        (S3Options { storage_class_and_acl: false, ..lenient() }, &[], "x-amz-"),
        (S3Options { storage_classes: Some(&["STANDARD"]), ..lenient() }, &class, "InvalidStorageClass"),
        (S3Options { acls: Some(&["private"]), ..lenient() }, &acl, "x-amz-acl cannot be"),
    ];
    for (rules, more, reason) in rules {
        let server = S3Server::start(rules.clone()).unwrap();
        let failed = everything(&generic(&server, "us-east-1", more)).await;
        let failed = failed.expect_err(reason).to_string();
        assert!(failed.contains(reason), "{reason}: {failed}");
    }
}

#[tokio::test]
async fn the_generic_profile_works_with_no_vendor() {
    for vendor in ALL {
        let rules = (vendor.rules)();
        let region = rules.region.clone();
        let server = S3Server::start(rules).unwrap();
        assert!(everything(&generic(&server, &region, &[])).await.is_err(), "{}", vendor.driver);
    }
}

//! The stores that are known, as data: one entry each.
//!
//! Sources: the vendors' compatibility pages, rclone's table of providers (as facts), and for Ceph and
//! OpenStack Swift the servers themselves. `docs/s3.md` says which were run against.

use crate::profile::{Addressing, BatchDelete, ListVersion, PartSizes, Prefixes, Profile};

const GENERIC: Profile = Profile::GENERIC;

/// The vendors that have a driver of their own.
impl Profile {
    /// Storj's hosted gateway.
    pub const STORJ: Profile = Profile {
        name: "storj",
        store: "Storj's hosted gateway",
        hosts: &["storjshare.io"],
        start_after: false,
        byte_order: false,
        prefixes: Prefixes::Slash,
        copy_part: false,
        parts: PartSizes::Any,
        min_part: 64 << 20,
        max_copy: Profile::UNLIMITED_COPY,
        lists_uploads: false,
        conditional_copy: false,
        acl: false,
        storage_class: false,
        unsigned_payload: true,
        ..GENERIC
    };

    /// Alibaba Cloud OSS.
    pub const OSS: Profile = Profile {
        name: "oss",
        store: "Alibaba Cloud OSS",
        hosts: &["aliyuncs.com"],
        addressing: Addressing::VirtualHost,
        batch_delete: BatchDelete::No,
        parts: PartSizes::Any,
        lists_uploads: false,
        storage_class: false,
        ..GENERIC
    };

    /// Huawei Cloud OBS.
    pub const OBS: Profile = Profile {
        name: "obs",
        store: "Huawei Cloud OBS",
        hosts: &["myhuaweicloud.com", "myhuaweicloud.eu"],
        addressing: Addressing::VirtualHost,
        list: ListVersion::V1,
        parts: PartSizes::Any,
        encryption: "aws:kms",
        ..GENERIC
    };

    /// Baidu Cloud BOS.
    pub const BOS: Profile = Profile {
        name: "bos",
        store: "Baidu Cloud BOS",
        hosts: &["bcebos.com"],
        addressing: Addressing::VirtualHost,
        list: ListVersion::V1,
        storage_class: false,
        ..GENERIC
    };

    /// UCloud US3.
    pub const US3: Profile = Profile {
        name: "us3",
        store: "UCloud US3",
        hosts: &["ufileos.com"],
        list: ListVersion::V1,
        parts: PartSizes::Exactly(8 << 20),
        // Its pages advise against larger ones.
        max_put: 8 << 20,
        acl: false,
        storage_class: false,
        ..GENERIC
    };
}

/// Every profile. The first whose host it is belongs to an endpoint; without one it is
/// [`Profile::GENERIC`], the last.
pub const PROFILES: &[Profile] = &[
    Profile {
        name: "aws",
        store: "Amazon S3",
        hosts: &["amazonaws.com", "amazonaws.com.cn", "amazonaws.eu"],
        addressing: Addressing::VirtualHost,
        url_encoding: true,
        parts: PartSizes::Any,
        conditional_put: true,
        conditional_complete: true,
        conditional_delete: true,
        unsigned_payload: true,
        stray_parts: true,
        ..GENERIC
    },
    Profile {
        name: "ceph",
        store: "Ceph object gateway",
        url_encoding: true,
        copies_by_reference: true,
        parts: PartSizes::Any,
        // Version 16 copies whatever `x-amz-copy-source-if-match` says.
        conditional_copy: false,
        unsigned_payload: true,
        ..GENERIC
    },
    Profile {
        name: "minio",
        store: "MinIO",
        hosts: &["play.min.io"],
        url_encoding: true,
        parts: PartSizes::Any,
        conditional_put: true,
        unsigned_payload: true,
        stray_parts: true,
        ..GENERIC
    },
    Profile {
        name: "r2",
        store: "Cloudflare R2",
        hosts: &["r2.cloudflarestorage.com"],
        url_encoding: true,
        conditional_put: true,
        acl: false,
        unsigned_payload: true,
        stray_parts: true,
        ..GENERIC
    },
    Profile {
        name: "b2",
        store: "Backblaze B2",
        hosts: &["backblazeb2.com"],
        parts: PartSizes::Any,
        conditional_copy: false,
        acl: false,
        storage_class: false,
        unsigned_payload: true,
        ..GENERIC
    },
    Profile {
        name: "gcs-interop",
        store: "Google Cloud Storage, by its S3 interoperability",
        hosts: &["storage.googleapis.com"],
        batch_delete: BatchDelete::No,
        copy_part: false,
        parts: PartSizes::Any,
        max_copy: Profile::UNLIMITED_COPY,
        acl: false,
        storage_class: false,
        unsigned_payload: true,
        stray_parts: true,
        ..GENERIC
    },
    Profile {
        name: "swift-s3api",
        store: "OpenStack Swift's s3api",
        // Its containers are told of an object after it was put, under load some time after.
        consistent_listings: false,
        parts: PartSizes::Any,
        // It compares with an ETag of its own where the source was uploaded in parts.
        conditional_copy: false,
        acl: false,
        storage_class: false,
        stray_parts: true,
        ..GENERIC
    },
    Profile {
        name: "wasabi",
        store: "Wasabi",
        hosts: &["wasabisys.com"],
        url_encoding: true,
        parts: PartSizes::Any,
        storage_class: false,
        unsigned_payload: true,
        ..GENERIC
    },
    Profile {
        name: "digitalocean",
        store: "DigitalOcean Spaces",
        hosts: &["digitaloceanspaces.com"],
        addressing: Addressing::VirtualHost,
        parts: PartSizes::Any,
        storage_class: false,
        unsigned_payload: true,
        ..GENERIC
    },
    Profile::STORJ,
    Profile::OSS,
    Profile::OBS,
    Profile::BOS,
    Profile::US3,
    GENERIC,
];

/// The profile of this name; `None` if there is none.
pub fn profile(name: &str) -> Option<&'static Profile> {
    PROFILES.iter().find(|profile| profile.name == name)
}

/// The profile of the store at this host: what `profile: auto` takes. Asks nobody.
pub fn profile_of_host(host: &str) -> &'static Profile {
    PROFILES.iter().find(|profile| profile.is_at(host)).unwrap_or(const { &GENERIC })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_tell_the_profile() {
        for (host, name) in [
            ("s3.eu-west-1.amazonaws.com", "aws"),
            ("s3.cn-north-1.amazonaws.com.cn", "aws"),
            ("bucket.s3.amazonaws.com", "aws"),
            ("0123.r2.cloudflarestorage.com", "r2"),
            ("0123.eu.R2.cloudflarestorage.com", "r2"),
            ("s3.us-west-004.backblazeb2.com", "b2"),
            ("storage.googleapis.com", "gcs-interop"),
            ("s3.eu-central-1.wasabisys.com", "wasabi"),
            ("fra1.digitaloceanspaces.com", "digitalocean"),
            ("gateway.storjshare.io", "storj"),
            ("s3.oss-cn-hangzhou.aliyuncs.com", "oss"),
            ("obs.eu-de.myhuaweicloud.eu", "obs"),
            ("s3.bj.bcebos.com", "bos"),
            ("s3-cn-bj.ufileos.com", "us3"),
            ("127.0.0.1", "generic"),
            ("s3.example.com", "generic"),
            ("notamazonaws.com", "generic"),
            ("amazonaws.com.example.com", "generic"),
        ] {
            assert_eq!(profile_of_host(host).name, name, "{host}");
        }
    }

    #[test]
    fn names_are_unique_and_the_last_is_generic() {
        for (place, one) in PROFILES.iter().enumerate() {
            assert!(PROFILES.iter().skip(place + 1).all(|other| other.name != one.name), "{}", one.name);
            assert_eq!(profile(one.name), Some(one));
        }
        assert_eq!(PROFILES.last(), Some(&Profile::GENERIC));
    }
}

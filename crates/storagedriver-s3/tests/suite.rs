//! The suite, on servers in this process that have and lack what stores do.
#![expect(clippy::expect_used, reason = "a failed expectation fails the test")]

mod servers;

/// Amazon's: all there is.
mod aws {
    use super::servers::{Servers, options, small};
    use storagedriver_testsuites::{register_histories, register_state_machine, register_suite};

    fn harness() -> Servers {
        let mut profile = small("aws");
        profile.page = 50;
        Servers::new(options(), profile)
    }

    register_suite!(harness());

    mod machine {
        super::register_state_machine!(super::harness());
    }

    mod histories {
        super::register_histories!(super::harness());
    }
}

/// A store without conditional writes.
mod generic {
    use super::servers::{Servers, options, small};
    use storagedriver_testservers::{ConditionalWrites, PartSizes, S3Options};

    storagedriver_testsuites::register_suite!(Servers::new(
        S3Options {
            conditional_writes: ConditionalWrites::Ignored,
            part_sizes: PartSizes::Equal,
            batch_delete_md5: true,
            url_encoding: false,
            ..options()
        },
        small("generic")
    ));
}

/// A store that completes an upload only with all the parts that it was sent, as Ceph does.
mod all_parts_named {
    use super::servers::{Servers, options, small};
    use storagedriver_testservers::{ConditionalWrites, S3Options};

    storagedriver_testsuites::register_suite!(Servers::new(
        S3Options { conditional_writes: ConditionalWrites::Ignored, stray_parts: false, ..options() },
        small("ceph")
    ));
}

/// Version 1 of listings, one delete at a time, no copies of parts.
mod bare {
    use super::servers::{Servers, options, small};
    use storagedriver_s3::ListVersion;
    use storagedriver_testservers::{ConditionalWrites, ListV2, S3Options};

    storagedriver_testsuites::register_suite!({
        let mut profile = small("gcs-interop");
        profile.list = ListVersion::V1;
        profile.lists_uploads = false;
        profile.page = 30;
        Servers::new(
            S3Options {
                list_v2: ListV2::Refused,
                batch_delete: false,
                part_copy: false,
                lists_uploads: false,
                storage_class_and_acl: false,
                conditional_writes: ConditionalWrites::Refused,
                url_encoding: false,
                ..options()
            },
            profile,
        )
    });
}

/// A store whose listings have no order.
mod unordered {
    use super::servers::{Servers, options, small};
    use storagedriver_testservers::{ConditionalWrites, S3Options};

    storagedriver_testsuites::register_suite!(Servers::new(
        S3Options {
            ordered: false,
            start_after: false,
            part_copy: false,
            lists_uploads: false,
            conditional_copy: false,
            storage_class_and_acl: false,
            conditional_writes: ConditionalWrites::Ignored,
            ..options()
        },
        small("storj")
    ));
}

/// A store that takes parts of one size alone.
mod exact_parts {
    use super::servers::{Servers, options, small};
    use storagedriver_s3::PartSizes;
    use storagedriver_testservers::{ConditionalWrites, PartSizes as Served, S3Options};

    storagedriver_testsuites::register_suite!({
        let mut profile = small("us3");
        profile.parts = PartSizes::Exactly(4096);
        Servers::new(
            S3Options {
                part_sizes: Served::Exactly(4096),
                storage_class_and_acl: false,
                conditional_writes: ConditionalWrites::Ignored,
                url_encoding: false,
                ..options()
            },
            profile,
        )
    });
}

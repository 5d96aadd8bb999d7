//! What can be configured.

storagedriver::parameters! {
    /// Parameters of the drivers `s3` and `s3aws`.
    pub struct S3Parameters for "s3" {
        /// The bucket; it has to exist.
        bucket: String = required,
        /// The region that the bucket is in. With `regionendpoint` it is only signed, and is `us-east-1`
        /// unless given.
        region: String { required_unless: "regionendpoint" },
        /// The server, if it is not Amazon's in that region: `https://s3.example.com:9000`. Without
        /// a scheme `secure` tells it.
        regionendpoint: String,
        /// The access key. Only used together with `secretkey`; without both, keys come from the
        /// environment, a profile file, a web identity, or the role of the container or instance.
        accesskey: String,
        /// The secret of the access key.
        secretkey: Secret,
        /// The session token, if `accesskey` is a temporary key.
        sessiontoken: Secret,
        /// The prefix of all keys.
        rootdirectory: String = "",
        /// The quirks of the store. `auto` knows the host of `regionendpoint`, or takes `generic`;
        /// nobody is asked.
        profile: Choice(
            "auto", "aws", "ceph", "minio", "r2", "b2", "gcs-interop", "swift-s3api", "wasabi", "digitalocean",
            "storj", "oss", "obs", "bos", "us3", "generic"
        ) = "auto",
        /// Whether the bucket stands in the path of URLs (`true`) or in their host (`false`). Left
        /// out, as the profile says. In the host only where it can stand there.
        forcepathstyle: Bool,
        /// Whether https is used where `regionendpoint` has no scheme.
        secure: Bool = true,
        /// Whether any certificate is accepted. For tests alone.
        skipverify: Bool = false,
        /// Signature version 4. `false`, which means version 2, is refused.
        v4auth: Bool = true,
        /// Whether the store is asked to encrypt what is written: with its own keys, or with that of
        /// `keyid`.
        encrypt: Bool = false,
        /// The KMS key to encrypt with. Has no effect unless `encrypt` is `true`.
        keyid: String,
        /// The size of the first parts of an upload.
        chunksize: Bytes(5 MiB ..= 5 GiB) = 10 MiB,
        /// How many parts of one upload are on their way at once.
        multipartuploadmaxconcurrency: Integer(1 ..= 1000) = 4,
        /// The size of a part where an object is copied in parts.
        multipartcopychunksize: Bytes(5 MiB ..= 5 GiB) = 32 MiB,
        /// How many parts of one copy are made at once.
        multipartcopymaxconcurrency: Integer(1 ..) = 100,
        /// Objects larger than this are copied in parts. 32 MiB unless given; on a store that copies by reference
        /// (the profile `ceph`) 5 GiB.
        multipartcopythresholdsize: Bytes(0 ..= 5 GiB),
        /// The class that objects are stored in; `NONE` asks for none.
        storageclass: Choice(
            "STANDARD", "NONE", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "OUTPOSTS",
            "GLACIER_IR", "EXPRESS_ONEZONE"
        ) = "STANDARD",
        /// The canned ACL of objects.
        objectacl: Choice(
            "private", "public-read", "public-read-write", "authenticated-read", "aws-exec-read", "bucket-owner-read",
            "bucket-owner-full-control"
        ) = "private",
        /// What is added to the `User-Agent`.
        useragent: String,
        /// Whether Amazon's hosts with IPv4 and IPv6 are used.
        usedualstack: Bool = false,
        /// Whether Amazon's transfer acceleration is used; the bucket has to have it.
        accelerate: Bool = false,
        /// Whether Amazon's FIPS 140 hosts are used.
        usefipsendpoint: Bool = false,
        /// Scheme and host that redirects lead to instead of the endpoint.
        redirectendpoint: String,
        /// How long no byte may move before a request counts as dead.
        stalltimeout: Duration(1 s ..) = "60s",
        /// How long a connection may take to stand.
        connecttimeout: Duration(1 s ..) = "10s",
        /// How often a request is sent before its failure counts, the first time included.
        maxattempts: Integer(1 ..= 100) = 8,
    }
    ignored {
        "loglevel": "requests that are sent again are reported to `tracing` at the level debug, whatever it says; the subscriber chooses"
    }
}

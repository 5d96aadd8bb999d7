//! How an S3 server is to behave: as AWS, or as vendors that lack or change something.

/// Which address a bucket has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Addressing {
    /// `http://127.0.0.1:port/bucket/key` and `http://bucket.localhost:port/key`.
    #[default]
    Both,
    /// The bucket is the first component of the path; a host that names one is refused.
    PathOnly,
    /// The bucket stands in the host, `bucket.localhost:port`; a path that names one is refused.
    VirtualHostOnly,
}

/// How requests prove who they are from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Authentication {
    /// AWS signature, version 4, in headers or in the query; key `access`, secret `secret`.
    #[default]
    Signature,
    /// The same, and every request carries this session token.
    SessionToken(String),
    /// `Authorization: Bearer` and this token, as the XML API of GCS takes it.
    Bearer(String),
    /// Not at all.
    Anonymous,
}

/// What becomes of version 2 of the listing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ListV2 {
    /// It works.
    #[default]
    Supported,
    /// It is refused: 501 `NotImplemented`.
    Refused,
    /// It is answered as version 1, which does not know `start-after` and `continuation-token`.
    Ignored,
}

/// What becomes of `If-Match` and `If-None-Match` on writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConditionalWrites {
    /// They are obeyed.
    #[default]
    Supported,
    /// They are not read: the write happens.
    Ignored,
    /// They are refused: 501 `NotImplemented`.
    Refused,
}

/// Which sizes the parts of an upload may have, the last excepted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PartSizes {
    /// Any from [`S3Options::min_part`] on.
    #[default]
    Any,
    /// All the same.
    Equal,
    /// Exactly this many bytes.
    Exactly(u64),
}

/// How an S3 server is to behave. The default is AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Options {
    /// The buckets that exist: `bucket`.
    pub buckets: Vec<String>,
    /// The region of all of them: `us-east-1`. A signature for another is refused.
    pub region: String,
    /// Which address a bucket has.
    pub addressing: Addressing,
    /// The domain that a bucket stands before: `localhost` and the port, unless given. Who asks for a bucket of
    /// another one takes the server as a proxy.
    pub domain: Option<String>,
    /// A host that belongs to one bucket, and that bucket.
    pub own_host: Option<(String, String)>,
    /// How requests prove who they are from.
    pub authentication: Authentication,
    /// What becomes of version 2 of the listing.
    pub list_v2: ListV2,
    /// Whether what has a prefix is listed only if that ends in `/`; else 501 `NotImplemented`, as Storj
    /// answers where it cannot.
    pub slash_prefixes: bool,
    /// Whether `start-after` is obeyed; else it is not read.
    pub start_after: bool,
    /// Whether listings are in byte order; else in an order of the server's own, page after page.
    pub ordered: bool,
    /// The most names, parts or uploads in a page: 1000.
    pub page_size: usize,
    /// Whether DeleteObjects exists; else 501 `NotImplemented`.
    pub batch_delete: bool,
    /// Whether DeleteObjects demands `Content-MD5`; else a checksum header is enough, or none.
    pub batch_delete_md5: bool,
    /// The most keys of a DeleteObjects: 1000.
    pub delete_limit: usize,
    /// Whether UploadPartCopy exists; else 501 `NotImplemented`.
    pub part_copy: bool,
    /// Whether ListMultipartUploads exists; else 501 `NotImplemented`.
    pub lists_uploads: bool,
    /// What becomes of conditions on PutObject, CompleteMultipartUpload and DeleteObject.
    pub conditional_writes: ConditionalWrites,
    /// Whether `x-amz-copy-source-if-match` is obeyed; else it is not read.
    pub conditional_copy: bool,
    /// Which sizes the parts of an upload may have.
    pub part_sizes: PartSizes,
    /// Whether an upload can be completed without some of the parts that it was sent; else 400
    /// `InvalidPart`, as Ceph 16 answers.
    pub stray_parts: bool,
    /// The least size of a part that is not the last, in bytes: 5 MiB, and 0 for none.
    pub min_part: u64,
    /// The largest object of one CopyObject, and the largest range of one UploadPartCopy, in bytes: 5 GiB.
    pub copy_limit: u64,
    /// The largest object of one PutObject or UploadPart, in bytes: 5 GiB.
    pub put_limit: u64,
    /// Whether storage classes and canned ACLs are taken; else a request that names one gets 501.
    pub storage_class_and_acl: bool,
    /// The storage classes that there are; `None` for any. Another one gets 400 `InvalidStorageClass`.
    pub storage_classes: Option<&'static [&'static str]>,
    /// The canned ACLs that objects can have; `None` for any. Another one gets 400 `InvalidArgument`.
    pub acls: Option<&'static [&'static str]>,
    /// Whether a body may come in signed chunks (`aws-chunked`); else 400 `InvalidArgument`.
    pub aws_chunked: bool,
    /// How a response to ListObjects names its keys and prefixes in one fixed way: whether
    /// `encoding-type=url` is obeyed.
    pub url_encoding: bool,
}

impl Default for S3Options {
    fn default() -> Self {
        Self {
            buckets: vec!["bucket".to_owned()],
            region: "us-east-1".to_owned(),
            addressing: Addressing::default(),
            domain: None,
            own_host: None,
            authentication: Authentication::default(),
            list_v2: ListV2::default(),
            slash_prefixes: false,
            start_after: true,
            ordered: true,
            page_size: 1000,
            batch_delete: true,
            batch_delete_md5: false,
            delete_limit: 1000,
            part_copy: true,
            lists_uploads: true,
            conditional_writes: ConditionalWrites::default(),
            conditional_copy: true,
            part_sizes: PartSizes::default(),
            stray_parts: true,
            min_part: 5 << 20,
            copy_limit: 5 << 30,
            put_limit: 5 << 30,
            storage_class_and_acl: true,
            storage_classes: None,
            acls: None,
            aws_chunked: true,
            url_encoding: true,
        }
    }
}

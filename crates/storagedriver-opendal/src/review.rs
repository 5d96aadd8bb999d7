//! What services can do: what they say, and what was looked up.

use opendal::{Capability, OperatorInfo};
use storagedriver::{Guarantee, Guarantees};
use storagedriver_object::Description;

/// The most names that one listing is held to: OpenDAL pages below.
const PAGE: usize = 1_000_000;

/// The longest name of file systems, in bytes.
const FILE_NAME: usize = 255;

/// What a service can do, as the driver takes it.
///
/// [`Review::of`] knows some services. For another, or for one that is set up in a way of its own, start
/// from what it gives and change what is known to differ:
///
/// ```
/// use opendal::{Operator, services};
/// use storagedriver_opendal::{OpenDal, OpenDalOptions, Review};
///
/// # fn example(operator: Operator) -> storagedriver::Result<OpenDal> {
/// let mut review = Review::of(&operator.info());
/// review.description.conditional_put = true;
/// let mut options = OpenDalOptions::default();
/// options.review = Some(review);
/// OpenDal::with_options(operator, options)
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Review {
    /// What the engine goes by. `multipart` stays off: what OpenDAL has of it cannot be resumed.
    pub description: Description,
    /// Whether the service has directories of its own, where no name is a file and a directory.
    pub directories: bool,
    /// Whether deleting a directory is refused unless it is empty. Only then are those removed that the last
    /// file has left.
    pub prunes: bool,
    /// Whether nobody else can reach the objects, as they are in this process. The driver then keeps what
    /// the service does not: versions, times and marks.
    pub private: bool,
}

/// What kind of service it is, by what its documentation and its code in OpenDAL say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Whole objects replaced at once, ETags, metadata, listings in byte order.
    Objects,
    /// The same, and every condition that OpenDAL can send is kept.
    StrictObjects,
    /// Local files, staged and moved by OpenDAL.
    LocalFiles,
    /// Directories that are removed when empty, files written in place.
    RemoteFiles,
    /// The same, where deleting a directory deletes what is in it.
    Tree,
    Private,
    /// Nothing was looked up.
    Unknown,
}

fn class(scheme: &str) -> Class {
    match scheme {
        "azblob" => Class::StrictObjects,
        "s3" | "gcs" | "oss" | "cos" | "obs" => Class::Objects,
        "fs" => Class::LocalFiles,
        "sftp" => Class::RemoteFiles,
        "webdav" | "webhdfs" => Class::Tree,
        "memory" => Class::Private,
        _ => Class::Unknown,
    }
}

impl Review {
    /// What is known of the service of an operator.
    pub fn of(info: &OperatorInfo) -> Self {
        let (class, capability) = (class(info.scheme()), info.capability());
        let objects = matches!(class, Class::Objects | Class::StrictObjects);
        let mut review = Review {
            description: nothing(),
            directories: matches!(class, Class::LocalFiles | Class::RemoteFiles | Class::Tree),
            prunes: matches!(class, Class::LocalFiles | Class::RemoteFiles),
            private: class == Class::Private,
        };
        let description = &mut review.description;
        description.delete_batch = capability.delete_max_size.unwrap_or(1000).max(1);
        description.byte_order = objects || review.private;
        description.start_after = review.private || objects && capability.list_with_start_after;
        description.versions = objects || review.private;
        description.marks = review.private || objects && capability.write_with_user_metadata;
        description.conditional_put =
            review.private || class == Class::StrictObjects && conditional(capability);
        description.conditional_delete =
            review.private || class == Class::StrictObjects && capability.delete_with_if_match;
        // Whether what is written in parts keeps them, is another matter for each service.
        description.conditional_complete = review.private;
        description.conditional_copy = review.private;
        description.rename = class == Class::LocalFiles && capability.rename;
        // Their steps are taken by tasks of their own.
        description.detached = review.directories;
        if review.private || class == Class::LocalFiles {
            description.max_put = u64::MAX;
            description.max_copy = u64::MAX;
        }
        if review.directories {
            description.name_limit = FILE_NAME;
        }
        description.guarantees = guarantees(class, capability);
        review
    }
}

fn conditional(capability: Capability) -> bool {
    capability.write_with_if_match && capability.write_with_if_not_exists
}

fn guarantees(class: Class, capability: Capability) -> Guarantees {
    let all = Guarantees::FULL;
    match class {
        // Reads go on with the ETag that they began with.
        Class::Objects | Class::StrictObjects if capability.read_with_if_match => all,
        Class::Objects | Class::StrictObjects => all.without(Guarantee::ConsistentReads),
        // A reader has the file open.
        Class::LocalFiles => all,
        Class::Private => all.without(Guarantee::Durable).without(Guarantee::Shared),
        Class::RemoteFiles | Class::Tree | Class::Unknown => {
            all.without(Guarantee::AtomicReplace).without(Guarantee::ConsistentReads)
        }
    }
}

/// What every service can do, and nothing else.
fn nothing() -> Description {
    let mut description = Description::FULL;
    description.multipart = false;
    description.min_part = 1;
    description.copy_part = false;
    description.lists_uploads = false;
    description.page = PAGE;
    description.conditional_put = false;
    description.conditional_complete = false;
    description.conditional_copy = false;
    description.conditional_delete = false;
    description
}

//! What was being done.

use std::fmt;

macro_rules! operations {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $action:literal;)+) => {
        /// What was being done when an error arose.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Operation {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Operation {
            /// Every operation, in the order of the enumeration.
            pub const ALL: &'static [Operation] = &[$(Operation::$variant),+];

            /// The name of the method: `get_content`.
            pub fn as_str(self) -> &'static str {
                match self { $(Operation::$variant => $name),+ }
            }

            /// The value of the `action` label of `registry_storage_action_seconds`: Distribution's
            /// own word where it has the method, ours in the same style where it has not.
            pub fn action(self) -> &'static str {
                match self { $(Operation::$variant => $action),+ }
            }
        }
    };
}

operations! {
    /// Making a driver from its parameters.
    Create = "create", "Create";
    /// `get_content`
    GetContent = "get_content", "GetContent";
    /// `put_content`
    PutContent = "put_content", "PutContent";
    /// `reader`, and reading from the content it returned.
    Reader = "reader", "Reader";
    /// `writer`: opening an upload.
    Writer = "writer", "Writer";
    /// `write` of a chunk.
    Write = "write", "Write";
    /// `close` of a writer.
    Close = "close", "Close";
    /// `commit` of a writer.
    Commit = "commit", "Commit";
    /// `cancel` of a writer.
    Cancel = "cancel", "Cancel";
    /// `stat`
    Stat = "stat", "Stat";
    /// `list`
    List = "list", "List";
    /// `rename`; Distribution calls it Move.
    Rename = "rename", "Move";
    /// `delete`
    Delete = "delete", "Delete";
    /// `walk`, and each step of it.
    Walk = "walk", "Walk";
    /// `uploads`
    Uploads = "uploads", "Uploads";
    /// `abort_upload`
    AbortUpload = "abort_upload", "AbortUpload";
    /// `redirect_url`
    RedirectUrl = "redirect_url", "RedirectURL";
    /// `examine`
    Examine = "examine", "Examine";
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

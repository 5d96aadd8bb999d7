//! What goes over the socket: made by `cargo xtask proto` from `proto/storagedriver/v1/driver.proto`.

use std::fmt;

// The comments of the schema are the documentation; they are written for every language.
#[allow(missing_docs, unreachable_pub, rustdoc::all, clippy::all)]
#[rustfmt::skip]
#[path = "storagedriver.v1.rs"]
mod generated;

pub use generated::*;

/// Text that says what it stands for and shows nothing: any value of a parameter may be a secret.
macro_rules! secretive {
    ($($message:ty => $text:literal;)+) => {
        $(impl fmt::Debug for $message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($text)
            }
        })+
    };
}

secretive! {
    Value => "Value";
    value::Kind => "Kind";
    ValueList => "ValueList";
    ValueMap => "ValueMap";
    OpenRequest => "OpenRequest";
}

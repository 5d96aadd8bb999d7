//! Registry storage drivers out of process: `registry-storage-<name>`, in any language.

pub mod convert;
pub mod proto;

use tower as _;

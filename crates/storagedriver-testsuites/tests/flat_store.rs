//! The suite on a flat store: a name can be file and directory, a rename is a copy and a delete,
//! nothing is done in one step, a second handle shares the store as a server does. It shows that
//! the cases ask of a flat store no more than the contract does.

// Tests may.
#![allow(clippy::unwrap_used)]

mod flat;

use std::sync::Arc;

use flat::{Flat, Server};
use storagedriver::Storage;
use storagedriver_testsuites::{BoxError, Harness, Scale, Store, async_trait, register_suite};

/// Opens a server of its own for each case.
struct Servers {
    /// Whether a put or a commit ends the uploads of its path, as where uncommitted parts live at
    /// the final name.
    ends_uploads: bool,
}

struct Opened(Arc<Server>);

#[async_trait]
impl Harness for Servers {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        Ok(Box::new(Opened(Arc::new(Server::new(self.ends_uploads)))))
    }

    fn scale(&self) -> Scale {
        Scale::default().with_part_size(100_000).with_page_size(50)
    }
}

#[async_trait]
impl Store for Opened {
    fn storage(&self) -> Storage {
        Storage::new(Flat::new(self.0.clone()))
    }

    async fn another(&self) -> Result<Option<Storage>, BoxError> {
        Ok(Some(self.storage()))
    }
}

mod independent {
    use super::{Servers, register_suite};

    register_suite!(Servers { ends_uploads: false });
}

mod ending_uploads {
    use super::{Servers, register_suite};

    register_suite!(contract = "1.0", Servers { ends_uploads: true });
}

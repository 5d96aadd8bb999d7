//! The suite, the state machine and the histories, with both ways of uploading, on a server in this process.

mod server;

use std::time::Duration;

use server::parameters;
use storagedriver::Storage;
use storagedriver_gcs::GcsParameters;
use storagedriver_testservers::{GcsOptions, GcsServer};
use storagedriver_testsuites::{BoxError, Harness, Scale, Store, async_trait};

/// Makes a server of its own for each case.
struct Servers {
    uploads: &'static str,
    chunksize: u64,
    options: GcsOptions,
}

impl Servers {
    /// Large content in parts.
    fn xml() -> Self {
        Servers {
            uploads: "xml",
            chunksize: 5 << 20,
            options: GcsOptions { page_size: 100, ..GcsOptions::default() },
        }
    }

    /// Large content in segments that are composed, so small that trees are made of them; copies in many steps.
    fn compose() -> Self {
        let options = GcsOptions { rewrite_limit: Some(1 << 20), page_size: 100, ..GcsOptions::default() };
        Servers { uploads: "compose", chunksize: 256 << 10, options }
    }
}

#[async_trait]
impl Harness for Servers {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        let server = GcsServer::start(self.options.clone())?;
        let parameters = parameters(&server.endpoint(), self.uploads, self.chunksize);
        Ok(Box::new(Opened { storage: parameters.clone().into_storage()?, parameters, _server: server }))
    }

    fn scale(&self) -> Scale {
        // A request whose future was dropped may be with the server, and is done there.
        let mut scale =
            Scale::default().with_settle(Duration::from_millis(100)).with_part_size(self.chunksize);
        scale.children = 250;
        scale.with_page_size(self.options.page_size)
    }
}

struct Opened {
    parameters: GcsParameters,
    storage: Storage,
    _server: GcsServer,
}

#[async_trait]
impl Store for Opened {
    fn storage(&self) -> Storage {
        self.storage.clone()
    }

    async fn another(&self) -> Result<Option<Storage>, BoxError> {
        Ok(Some(self.parameters.clone().into_storage()?))
    }
}

mod xml {
    use super::Servers;

    storagedriver_testsuites::register_suite!(Servers::xml());
    storagedriver_testsuites::register_state_machine!(Servers::xml());
    storagedriver_testsuites::register_histories!(Servers::xml());
}

mod compose {
    use super::Servers;

    storagedriver_testsuites::register_suite!(Servers::compose());
    storagedriver_testsuites::register_state_machine!(Servers::compose());
    storagedriver_testsuites::register_histories!(Servers::compose());
}

//! The suite, with both kinds of large objects, on a server in this process; with static ones the state machine and the
//! histories, too.

mod server;

use std::time::Duration;

use server::parameters;
use storagedriver::Storage;
use storagedriver_swift::SwiftParameters;
use storagedriver_testservers::{SwiftOptions, SwiftServer};
use storagedriver_testsuites::{BoxError, Harness, Scale, Store, async_trait};

/// Makes a server of its own for each case.
struct Servers {
    options: SwiftOptions,
}

impl Servers {
    /// OpenStack Swift as it is.
    fn full() -> Self {
        Servers { options: SwiftOptions::default() }
    }

    /// A cluster that has neither static large objects nor bulk deletes, and does not tell what it has.
    fn bare() -> Self {
        let options = SwiftOptions {
            info: false,
            static_large_objects: false,
            bulk_delete: false,
            ..SwiftOptions::default()
        };
        Servers { options }
    }
}

#[async_trait]
impl Harness for Servers {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        let server = SwiftServer::start(self.options.clone())?;
        let parameters = parameters(&server.endpoint());
        Ok(Box::new(Opened { storage: parameters.clone().into_storage()?, parameters, _server: server }))
    }

    fn scale(&self) -> Scale {
        // A request whose future was dropped may be with the server, and is done there.
        let mut scale = Scale::default().with_settle(Duration::from_millis(100)).with_part_size(1 << 20);
        scale.children = 250;
        scale
    }
}

struct Opened {
    parameters: SwiftParameters,
    storage: Storage,
    _server: SwiftServer,
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

mod full {
    use super::Servers;

    storagedriver_testsuites::register_suite!(Servers::full());
    storagedriver_testsuites::register_state_machine!(Servers::full());
    storagedriver_testsuites::register_histories!(Servers::full());
}

mod bare {
    use super::Servers;

    storagedriver_testsuites::register_suite!(Servers::bare());
}

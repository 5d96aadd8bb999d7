//! The suite, the state machine and concurrent histories, on a server in this process.
#![allow(clippy::unwrap_used, clippy::expect_used)] // A failure here fails the test.

mod stores;

use std::sync::LazyLock;
use std::time::Duration;

use storagedriver::Parameters;
use storagedriver_testservers::{AzureOptions, AzureServer};
use storagedriver_testsuites::{Scale, register_histories, register_state_machine, register_suite};
use stores::Container;

/// Small pages and blocks, so that the suite goes past them.
static SERVER: LazyLock<AzureServer> = LazyLock::new(|| {
    let options = AzureOptions { page_size: 100, ..AzureOptions::default() };
    AzureServer::start(options).expect("a port of the loopback interface")
});

fn container() -> Container {
    let mut parameters =
        Parameters::from_iter([("accountname", SERVER.account()), ("accountkey", SERVER.key())]);
    parameters.extend([("container", "container"), ("chunksize", "64 KiB")]);
    parameters.insert("serviceurl", SERVER.endpoint());
    let mut scale = Scale::network().with_part_size(64 << 10).with_page_size(100);
    // A request whose future was dropped may be in the server's hands.
    scale.settle = Duration::from_millis(100);
    scale.timeout = Duration::from_secs(120);
    Container { parameters, scale }
}

register_suite!(container());
register_state_machine!(container(), programs = 40, steps = 30);
register_histories!(container(), histories = 20);

/// The layout of Distribution 2, with a token in place of the key.
mod old_layout_with_tokens {
    use storagedriver_testsuites::register_state_machine;

    use super::{Container, SERVER, container};

    fn old() -> Container {
        let mut container = container();
        container.parameters.remove("accountkey");
        container.parameters.extend([
            ("credentials.type", "client_secret"),
            ("credentials.clientid", "client"),
            ("credentials.tenantid", "tenant"),
            ("credentials.secret", "secret"),
            ("legacyrootprefix", "true"),
        ]);
        container.parameters.insert("credentials.authorityhost", SERVER.authority());
        container
    }

    register_state_machine!(old(), programs = 10, steps = 30);
}

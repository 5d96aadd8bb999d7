//! The whole suite, the state machine and the histories on drivers that are executables; and the suite's mutants,
//! each of which is caught there too.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may"
)]

#[path = "../drivers/mod.rs"]
mod drivers;
#[path = "../drivers/kept.rs"]
mod kept;
mod mutants;

use std::path::Path;

use storagedriver::Parameters;

fn root(directory: &Path) -> Parameters {
    Parameters::from_iter([("rootdirectory", directory.display().to_string())])
}

mod inmemory {
    use storagedriver::Parameters;
    use storagedriver_testsuites::{
        OutOfProcess, register_histories, register_state_machine, register_suite,
    };

    use super::kept::kept;

    fn driver() -> OutOfProcess {
        OutOfProcess::new(kept("inmemory"), |_| Parameters::new())
    }

    register_suite!(executable = kept("inmemory"), parameters = |_| Parameters::new());
    register_state_machine!(driver());
    register_histories!(driver());
}

mod filesystem {
    use storagedriver_testsuites::{
        OutOfProcess, register_histories, register_state_machine, register_suite,
    };

    use super::kept::kept;
    use super::root;

    fn driver() -> OutOfProcess {
        OutOfProcess::new(kept("filesystem"), root)
    }

    register_suite!(executable = kept("filesystem"), parameters = root);
    register_state_machine!(driver());
    register_histories!(driver());
}

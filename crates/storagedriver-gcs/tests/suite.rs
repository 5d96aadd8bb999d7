//! The suite, the state machine and the histories, with both ways of uploading, on a server in this process.

mod server;

use server::Servers;

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

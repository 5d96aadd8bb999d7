//! The state machine, on stores whose parts and pages are small.

mod stores;

mod multipart {
    use super::stores::{Stores, small};
    storagedriver_testsuites::register_state_machine!(Stores::new(small(), 1024));
}

mod segments {
    use super::stores::{Stores, small};
    storagedriver_testsuites::register_state_machine!({
        let mut description = small();
        description.multipart = false;
        description.copy_part = false;
        description.lists_uploads = false;
        Stores::new(description, 3000)
    });
}

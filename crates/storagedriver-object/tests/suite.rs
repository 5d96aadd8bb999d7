//! The suite, on stores that have and lack different things.

mod stores;

use storagedriver_object::Description;
use stores::{Stores, small};

mod full {
    use super::{Description, Stores};
    storagedriver_testsuites::register_suite!(Stores::new(Description::FULL, 10 << 20));
}

mod small_parts {
    use super::{Stores, small};
    storagedriver_testsuites::register_suite!(Stores::new(small(), 1024));
}

mod unconditional {
    use super::{Stores, small};
    storagedriver_testsuites::register_suite!({
        let mut description = small();
        description.conditional_put = false;
        description.conditional_complete = false;
        description.conditional_copy = false;
        description.conditional_delete = false;
        Stores::new(description, 4096)
    });
}

mod same_size_parts {
    use super::{Stores, small};
    storagedriver_testsuites::register_suite!({
        let mut description = small();
        description.same_size_parts = true;
        description.copy_part = false;
        description.lists_uploads = false;
        Stores::new(description, 5000)
    });
}

mod segments {
    use super::{Stores, small};
    storagedriver_testsuites::register_suite!({
        let mut description = small();
        description.multipart = false;
        description.copy_part = false;
        description.lists_uploads = false;
        description.max_copy = u64::MAX;
        Stores::new(description, 3000)
    });
}

mod unordered {
    use super::{Stores, small};
    storagedriver_testsuites::register_suite!({
        let mut description = small();
        description.byte_order = false;
        description.start_after = false;
        Stores::new(description, 64 << 10)
    });
}

mod markers_only {
    use super::{Stores, small};
    storagedriver_testsuites::register_suite!({
        let mut description = small();
        description.start_after = false;
        Stores::new(description, 64 << 10)
    });
}

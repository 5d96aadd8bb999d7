//! The suite, the state machine and concurrent histories, on stores that have and lack different
//! things.

mod stores;

/// A number of programs or histories, or three times as many where `STORAGEDRIVER_FULL` is set.
fn many(usual: u64) -> u64 {
    if std::env::var_os("STORAGEDRIVER_FULL").is_some() { usual * 3 } else { usual }
}

macro_rules! on {
    ($($kind:ident)+) => {
        $(mod $kind {
            use super::{many, stores::$kind};
            storagedriver_testsuites::register_suite!($kind());
            storagedriver_testsuites::register_state_machine!($kind(), programs = many(60), steps = 40);
            storagedriver_testsuites::register_histories!($kind(), histories = many(40));
        })+
    };
}

on! { full small_parts unconditional all_parts_named same_size_parts segments unordered markers_only }

/// The suite runs on stores of this kind with the drivers `objectstore` and `opendal`. Histories do not: their check takes it
/// that who renames in one step deletes in one step, too, and the engine looks before it deletes.
mod moved {
    use super::{many, stores::moved};
    storagedriver_testsuites::register_state_machine!(moved(), programs = many(20), steps = 40);
}

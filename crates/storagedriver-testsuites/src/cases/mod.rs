//! The cases, by topic. `table.rs` lists them all, once.

mod append;
mod cancellation;
mod concurrency;
mod content;
mod delete;
mod errors;
mod kinds;
mod list;
mod paths;
mod reader;
mod registry;
mod rename;
mod resume;
mod table;
mod uploads;
mod walk;
mod writer;

use crate::Case;

/// What the table makes here: [`CASES`].
macro_rules! table_of_cases {
    ($($topic:ident {$(
        $name:ident: [$($sentence:literal),+ $(,)?] $(needs [$($guarantee:ident),+])?;
    )+})+) => {
        /// Every case of the suite, by topic.
        pub const CASES: &[Case] = &[$($(
            Case {
                name: concat!(stringify!($topic), "::", stringify!($name)),
                sentences: &[$($sentence),+],
                needs: &[$($(storagedriver::Guarantee::$guarantee),+)?],
                run: |fixture| Box::pin($topic::$name(fixture)),
            },
        )+)+];
    };
}

table::__with_cases! { [table_of_cases] }

//! Random programs over few paths, chosen to collide.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use storagedriver::{WalkKey, WalkOrder, WriteMode};

use super::program::{Content, Handle, Operation, Program, Slot, Step};

/// File against directory, prefix against sibling, and `-` and `.`, which sort before `/`.
const PATHS: &[&str] =
    &["/a", "/a/b", "/a/b/c", "/a-b", "/a-b/c", "/a.b", "/ab", "/a/b-c", "/a/b0", "/a/b.c/d", "/b"];

const KEYS: &[&str] = &[
    "/", "/a", "/a/", "/a/~", "/a-", "/a-b", "/a-b/", "/a/b", "/a/b/", "/a/b/~", "/a/b-c", "/a0", "/b", "/~",
];

/// Often one of two, so that operations meet on one path.
fn path() -> impl Strategy<Value = String> + Clone {
    prop_oneof![2 => select(&["/a", "/b"][..]), 3 => select(PATHS)].prop_map(str::to_owned)
}

/// Always one of two.
fn near_path() -> impl Strategy<Value = String> + Clone {
    prop_oneof![4 => Just("/a".to_owned()), 1 => Just("/b".to_owned())]
}

fn any_path() -> impl Strategy<Value = String> + Clone {
    prop_oneof![3 => Just("/".to_owned()), 5 => path()]
}

/// Mostly short; some of equal length, some that fill blocks, some longer than a buffer.
fn content() -> impl Strategy<Value = Content> {
    let length = prop_oneof![
        2 => Just(0_u32),
        4 => Just(7_u32),
        8 => 1_u32..40,
        2 => select(&[4095_u32, 4096, 8192, 65_536][..]),
        1 => 60_000_u32..200_000,
    ];
    (any::<u8>(), length).prop_map(|(seed, length)| Content { seed, length })
}

fn slot() -> impl Strategy<Value = Slot> {
    1_u8..=3
}

fn order() -> impl Strategy<Value = WalkOrder> {
    prop_oneof![Just(WalkOrder::Key), Just(WalkOrder::Tree)]
}

fn start_after() -> impl Strategy<Value = Option<WalkKey>> {
    option::weighted(0.4, select(KEYS).prop_filter_map("a key", |text| text.parse().ok()))
}

fn writer_operation<P>(path: P) -> impl Strategy<Value = Operation>
where
    P: Strategy<Value = String>,
{
    let mode = prop_oneof![Just(WriteMode::Create), Just(WriteMode::Append)];
    prop_oneof![
        6 => (slot(), path, mode).prop_map(|(slot, path, mode)| Operation::OpenWriter(slot, path, mode)),
        6 => (slot(), content()).prop_map(|(slot, content)| Operation::Write(slot, content)),
        4 => slot().prop_map(Operation::Close),
        3 => slot().prop_map(Operation::Commit),
        1 => slot().prop_map(Operation::Cancel),
        1 => slot().prop_map(Operation::Drop),
    ]
}

fn content_operation() -> impl Strategy<Value = Operation> {
    let length = option::of(0_u64..50);
    prop_oneof![
        6 => (path(), content()).prop_map(|(path, content)| Operation::Put(path, content)),
        2 => path().prop_map(Operation::Get),
        2 => (path(), 0_u64..50, length).prop_map(|(path, offset, length)| Operation::Read(path, offset, length)),
        2 => (slot(), path()).prop_map(|(slot, path)| Operation::OpenReader(slot, path)),
        2 => slot().prop_map(Operation::FinishReader),
        3 => (path(), path()).prop_map(|(from, to)| Operation::Rename(from, to)),
        2 => path().prop_map(Operation::Delete),
    ]
}

fn name_operation() -> impl Strategy<Value = Operation> {
    let skips = vec(0_u8..8, 0..3);
    prop_oneof![
        2 => any_path().prop_map(Operation::Stat),
        2 => any_path().prop_map(Operation::List),
        4 => (any_path(), order(), start_after(), skips)
            .prop_map(|(path, order, after, skips)| Operation::Walk(path, order, after, skips)),
        1 => any_path().prop_map(Operation::Uploads),
        1 => any_path().prop_map(Operation::AbortStale),
    ]
}

/// What can come between writers of one path.
fn meeting_operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        2 => (near_path(), content()).prop_map(|(path, content)| Operation::Put(path, content)),
        1 => Just(Operation::Rename("/a".to_owned(), "/b".to_owned())),
        1 => Just(Operation::Rename("/b".to_owned(), "/a".to_owned())),
        1 => near_path().prop_map(Operation::Delete),
        1 => near_path().prop_map(Operation::AbortStale),
        2 => (slot(), near_path()).prop_map(|(slot, path)| Operation::OpenReader(slot, path)),
        1 => slot().prop_map(Operation::FinishReader),
    ]
}

fn any_operation() -> impl Strategy<Value = Operation> {
    prop_oneof![4 => writer_operation(path()), 4 => content_operation(), 2 => name_operation()]
}

fn near_operation() -> impl Strategy<Value = Operation> {
    prop_oneof![4 => writer_operation(near_path()), 1 => meeting_operation()]
}

fn step(operation: impl Strategy<Value = Operation>) -> impl Strategy<Value = Step> {
    let handle = prop_oneof![3 => Just(Handle::First), 1 => Just(Handle::Second)];
    (handle, operation).prop_map(|(handle, operation)| {
        // A writer or reader stays with the handle that opened it.
        let own = !matches!(
            operation,
            Operation::FinishReader(_)
                | Operation::Write(..)
                | Operation::Close(_)
                | Operation::Commit(_)
                | Operation::Cancel(_)
                | Operation::Drop(_)
        );
        Step { handle: if own { handle } else { Handle::First }, operation }
    })
}

/// Programs of at most so many steps: of every operation on all paths, or of writers that meet on
/// one.
pub(super) fn program(steps: usize) -> impl Strategy<Value = Program> {
    let length = 1..=steps.max(1);
    let steps = prop_oneof![
        3 => vec(step(any_operation()), length.clone()),
        2 => vec(step(near_operation()), length),
    ];
    steps.prop_map(|steps| Program { steps }.normalised())
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest! {
        #[test]
        fn a_program_is_parsed_from_what_it_prints(program in program(30)) {
            let text = program.to_string();
            prop_assert_eq!(text.parse::<Program>(), Ok(program));
        }
    }
}

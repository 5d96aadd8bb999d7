//! Programs that once failed, here or on another driver, on every kind of store.

mod stores;

use storagedriver_testsuites::model::replay;
use stores::Stores;

/// The content is replaced before the append has taken its bytes: the commit tells, not a write.
const BASE_REPLACED: [&str; 3] = [
    "\
put(\"/a\", fill(0, 7))
let w1 = writer(\"/a\", Append)
w1.write(fill(1, 4095))
put(\"/a\", fill(2, 7))
w1.write(fill(3, 7))
w1.commit()
",
    "\
put(\"/a\", fill(0, 7))
let w1 = writer(\"/a\", Append)
w1.write(fill(1, 4095))
put(\"/a\", fill(2, 7))
w1.write(fill(3, 65536))
w1.close()
let w2 = second.writer(\"/a\", Append)
w2.write(fill(4, 8192))
w2.commit()
get(\"/a\")
",
    "\
put(\"/a\", fill(0, 8192))
let w1 = writer(\"/a\", Append)
delete(\"/a\")
w1.write(fill(1, 65536))
w1.write(fill(3, 7))
w1.cancel()
uploads(\"/\")
",
];

/// A close that adds nothing is a close: the other writer has lost.
const CLOSED_UNCHANGED: &str = "\
let w3 = writer(\"/a\", Create)
w3.close()
let w1 = writer(\"/a\", Append)
let w2 = writer(\"/a\", Append)
w2.close()
w1.commit()
";

async fn replay_on_all(program: &str) {
    let kinds: [(&str, Stores); 9] = [
        ("full", stores::full()),
        ("small parts", stores::small_parts()),
        ("unconditional", stores::unconditional()),
        ("all parts named", stores::all_parts_named()),
        ("same-size parts", stores::same_size_parts()),
        ("segments", stores::segments()),
        ("moved", stores::moved()),
        ("unordered", stores::unordered()),
        ("markers only", stores::markers_only()),
    ];
    for (kind, stores) in kinds {
        let replayed = replay(&stores, program).await;
        assert!(replayed.is_ok(), "{kind}: {replayed:?}");
    }
}

#[tokio::test]
async fn an_append_whose_content_is_replaced_is_told_at_its_commit() {
    for program in BASE_REPLACED {
        replay_on_all(program).await;
    }
}

#[tokio::test]
async fn a_close_that_adds_nothing_ends_the_other_writers() {
    replay_on_all(CLOSED_UNCHANGED).await;
}

//! `check`.

use crate::run::Store;

#[test]
fn a_storage_that_works_is_told_so_and_left_as_it_was() {
    let store = Store::with(&["/kept"]);
    let lines = store.json("check", &["/below"]);
    let of = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).count();
    assert_eq!((of("operation"), of("feature")), (10, 1));
    assert_eq!(of("guarantee"), storagedriver::Guarantee::ALL.len());
    for line in &lines {
        assert_eq!(line["wrong"], false, "{line}");
        assert!(line["outcome"] == "yes" || line["kind"] != "operation", "{line}");
    }
    assert_eq!(store.text("walk", &[]), "/kept\n");
    assert_eq!(store.files().len(), 1, "nothing hidden is left either");
    assert!(store.text("check", &[]).contains("  operation  put_content"));
}

#[test]
fn what_is_refused_is_named_and_the_answer_is_no() {
    let store = Store::with(&["/file"]);
    // Nothing can lie below a file.
    let ended = store.run("check", &["/file"]);
    let (text, code) = (String::from_utf8(ended.stdout).unwrap(), ended.code);
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.lines().any(|line| line.starts_with("! operation  put_content") && line.contains("/file")),
        "{text}"
    );
    assert_eq!(store.text("walk", &[]), "/file\n");
    store.run("check", &["no-slash"]).failed(2);
}

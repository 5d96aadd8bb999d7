//! `tree` and `du`.

use crate::run::{Store, run};

const TREE: &[&str] = &["/a-b", "/a/x", "/a/y/z", "/c"];

#[test]
fn a_tree_is_drawn_with_its_counts() {
    let store = Store::with(TREE);
    let drawing = "\
/
|-- a/
|   |-- x
|   `-- y/
|       `-- z
|-- a-b
`-- c

2 directories, 4 files
";
    assert_eq!(store.text("tree", &[]), drawing);
    assert_eq!(store.text("tree", &["/a/y"]), "/a/y/\n`-- z\n\n0 directories, 1 file\n");
    assert_eq!(Store::new().text("tree", &[]), "/\n\n0 directories, 0 files\n");
}

#[test]
fn a_tree_ends_at_the_depth_asked_for() {
    let store = Store::with(TREE);
    let one = "/\n|-- a/\n|-- a-b\n`-- c\n\n1 directory, 2 files\n";
    assert_eq!(store.text("tree", &["--depth", "1"]), one);
    assert!(!store.text("tree", &["--depth", "2"]).contains("`-- z"));
    assert_eq!(store.text("tree", &["--depth", "3"]), store.text("tree", &[]));
    for bad in ["0", "-1", "all"] {
        store.run("tree", &["--depth", bad]).failed(2);
    }
}

#[test]
fn a_tree_has_sizes_where_they_are_asked_for() {
    let store = Store::with(&["/d/large"]);
    store.file("/d/large", &[0; 1536]);
    let long = store.text("tree", &["--long"]);
    assert!(long.contains("\n`-- [           -]  d/\n    `-- [        1536]  large\n"), "{long}");
    assert!(long.ends_with("\n\n1 directory, 1 file, 1536 bytes\n"), "{long}");
    let human = store.text("tree", &["-h"]);
    assert!(human.contains("[     1.5 KiB]  large\n") && human.ends_with(", 1.5 KiB\n"), "{human}");
}

#[test]
fn a_tree_in_json_is_one_object_a_line() {
    let store = Store::with(TREE);
    let lines = store.json("tree", &["--long"]);
    let keys: Vec<(&str, u64)> =
        lines.iter().filter_map(|line| Some((line["key"].as_str()?, line["depth"].as_u64()?))).collect();
    let all = [("/a/", 1), ("/a/x", 2), ("/a/y/", 2), ("/a/y/z", 3), ("/a-b", 1), ("/c", 1)];
    assert_eq!(keys, all);
    let summary = lines.last().unwrap();
    assert_eq!(summary["event"], "summary");
    assert_eq!((&summary["directories"], &summary["files"]), (&2.into(), &4.into()));
    // Each file holds its path.
    assert_eq!(summary["size"], "/a-b/a/x/a/y/z/c".len());
    assert!(store.json("tree", &[]).last().unwrap()["size"].is_null());
}

/// How many of these operations a command asks the storage for.
fn operations(store: &Store, command: &str, arguments: &[&str], operation: &str) -> usize {
    let logged = store.run(command, &[arguments, &["--log", "debug"]].concat()).stderr;
    let wanted = format!("operation=\"{operation}\"");
    // The end of each is one line.
    logged.lines().filter(|line| line.contains(&wanted) && line.contains("close")).count()
}

#[test]
fn a_tree_lists_what_it_draws_and_du_walks_once() {
    let store = Store::with(TREE);
    assert_eq!(operations(&store, "tree", &[], "list"), 3);
    assert_eq!(operations(&store, "tree", &["/", "--depth", "1"], "list"), 1);
    assert_eq!(operations(&store, "tree", &[], "walk"), 0);
    assert_eq!(operations(&store, "du", &["/", "--depth", "5"], "walk"), 1);
    assert_eq!(operations(&store, "du", &["/", "--depth", "5"], "list"), 0);
}

#[test]
fn du_sums_up_what_is_below() {
    let store = Store::with(TREE);
    let fields = |text: String| -> Vec<Vec<String>> {
        text.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
    };
    assert_eq!(fields(store.text("du", &[])), [["16", "4", "/"]]);
    assert_eq!(fields(store.text("du", &["/", "--depth", "1"])), [["10", "2", "/a/"], ["16", "4", "/"]]);
    let two = [["6", "1", "/a/y/"], ["10", "2", "/a/"], ["16", "4", "/"]];
    assert_eq!(fields(store.text("du", &["/", "--depth", "2"])), two);
    assert_eq!(fields(store.text("du", &["/a/y", "/c"])), [["6", "1", "/a/y/"], ["2", "1", "/c"]]);
    store.file("/large", &[0; 1536]);
    assert!(store.text("du", &["/large", "-h"]).contains(" 1.5 KiB "));
    assert_eq!(fields(Store::new().text("du", &[])), [["0", "0", "/"]]);
}

#[test]
fn du_in_json() {
    let store = Store::with(TREE);
    let [a, all] = &store.json("du", &["/", "--depth", "1"])[..] else { panic!("two objects") };
    assert_eq!((&a["key"], &a["path"], &a["depth"]), (&"/a/".into(), &"/a".into(), &1.into()));
    assert_eq!((&all["size"], &all["files"], &all["depth"]), (&16.into(), &4.into(), &0.into()));
}

#[test]
fn what_is_not_there_is_1_and_what_is_no_directory_is_not_drawn() {
    let store = Store::with(TREE);
    for (command, path) in [("tree", "/none"), ("tree", "/c"), ("du", "/none")] {
        let message = store.run(command, &[path]).failed(1);
        assert!(message.contains(path), "{message}");
    }
    // What came before the failure is told.
    let ended = store.run("du", &["/c", "/none"]);
    assert_eq!((ended.code, ended.stdout.is_empty()), (Some(1), false));
    run(&["du", &store.argument(), "no-slash"]).failed(2);
}

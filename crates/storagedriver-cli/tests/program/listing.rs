//! `ls`, `stat`, `walk`, `drivers`.

use crate::run::{Store, objects, run};

const TREE: &[&str] = &["/a-b", "/a/x", "/a/y/z", "/c"];

#[test]
fn ls_prints_the_keys_of_the_children() {
    let store = Store::with(TREE);
    assert_eq!(store.text("ls", &[]), "/a/\n/a-b\n/c\n");
    assert_eq!(store.text("ls", &["/a"]), "/a/x\n/a/y/\n");
}

#[test]
fn ls_long_has_size_and_time() {
    let store = Store::with(TREE);
    let text = store.text("ls", &["-l"]);
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["-", "-", "/a/"]);
    assert_eq!((lines[1][0], lines[1][2]), ("4", "/a-b"));
    assert!(lines[1][1].ends_with('Z') && lines[1][1].len() == "2026-01-01T00:00:00Z".len(), "{text}");

    store.file("/large", &[0; 1536]);
    assert!(store.text("ls", &["-h"]).contains("1.5 KiB"));
    assert!(store.text("ls", &["--long"]).contains(" 1536 "));
}

#[test]
fn json_has_one_object_for_each_entry() {
    let store = Store::with(TREE);
    let listed = store.json("ls", &[]);
    assert_eq!(listed[0]["key"], "/a/");
    assert_eq!(listed[0]["path"], "/a");
    assert_eq!(listed[0]["kind"], "directory");
    assert_eq!(listed[2]["kind"], "file");

    let walked = store.json("walk", &[]);
    assert_eq!(walked.len(), 6);
    assert!(walked.iter().all(|entry| entry["kind"] == "directory" || entry["size"].as_u64() > Some(0)));

    let [stat] = &store.json("stat", &["/c"])[..] else { panic!("one object") };
    assert_eq!(stat["size"], 2);
    assert!(stat["modified"].as_str().unwrap().ends_with('Z'), "{stat}");
}

#[test]
fn stat_says_what_is_there() {
    let store = Store::with(TREE);
    let file = store.text("stat", &["/a/x"]);
    assert!(file.contains("kind      file\nsize      4\n"), "{file}");
    assert!(store.text("stat", &["/a"]).contains("kind      directory"));
    assert!(store.text("stat", &[]).contains("path      /\n"));
    store.file("/large", &[0; 2048]);
    assert!(store.text("stat", &["/large", "-h"]).contains("2.0 KiB"));
}

#[test]
fn walk_has_two_orders_and_resumes() {
    let store = Store::with(TREE);
    let key = ["/a-b", "/a/", "/a/x", "/a/y/", "/a/y/z", "/c"];
    let tree = ["/a/", "/a/x", "/a/y/", "/a/y/z", "/a-b", "/c"];
    for (order, keys) in [("key", key), ("tree", tree)] {
        let all = store.text("walk", &["--order", order]);
        assert_eq!(all.lines().collect::<Vec<_>>(), keys);
        for (place, start) in keys.iter().enumerate() {
            let rest = store.text("walk", &["/", "--order", order, "--start-after", start]);
            assert_eq!(rest.lines().collect::<Vec<_>>(), keys[place + 1..], "{order} after {start}");
        }
    }
    assert_eq!(store.text("walk", &["--start-after", "/a/~"]), "/c\n");
    assert_eq!(store.text("walk", &["/a/y"]), "/a/y/z\n");
}

#[test]
fn drivers_tells_what_is_linked() {
    let text = run(&["drivers"]).ok();
    assert!(text.contains("inmemory") && text.contains("filesystem"), "{text}");
    let listed = objects(&run(&["drivers", "--json"]).ok());
    let filesystem = listed.iter().find(|driver| driver["name"] == "filesystem").unwrap();
    assert_eq!(filesystem["crate"], "storagedriver-filesystem");
    for key in ["version", "summary"] {
        assert!(!filesystem[key].as_str().unwrap().is_empty(), "{key}");
    }
}

#[test]
fn drivers_tells_the_parameters_of_one() {
    let text = run(&["drivers", "filesystem"]).ok();
    assert!(text.contains("rootdirectory"), "{text}");
    let markdown = run(&["drivers", "filesystem", "--markdown"]).ok();
    assert!(markdown.starts_with("| ") && markdown.contains("| `rootdirectory` |"), "{markdown}");
    let parameters = objects(&run(&["drivers", "filesystem", "--json"]).ok());
    let root = parameters.iter().find(|parameter| parameter["name"] == "rootdirectory").unwrap();
    assert_eq!(root["default"], "/var/lib/registry");
    assert_eq!(root["secret"], false);
    let refusal = run(&["drivers", "no-such-driver"]).failed(2);
    assert!(refusal.contains("filesystem"), "{refusal}");
}

#[cfg(feature = "middleware")]
#[test]
fn drivers_tells_of_middleware_too() {
    let text = run(&["drivers"]).ok();
    assert!(
        text.lines().any(|line| line.starts_with("redirect ") && line.contains("  middleware: ")),
        "{text}"
    );
    let listed = objects(&run(&["drivers", "--json"]).ok());
    let kind = |name: &str| listed.iter().find(|linked| linked["name"] == name).unwrap()["kind"].clone();
    assert_eq!((kind("filesystem"), kind("rewrite")), ("driver".into(), "middleware".into()));
    assert!(run(&["drivers", "rewrite", "--markdown"]).ok().contains("| `trimpathprefix` |"));
}

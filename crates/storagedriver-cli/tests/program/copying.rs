//! `sync` and `verify`.

use std::path::Path;

use crate::run::{Ended, Store, end, objects, program, run};

/// The registry's tree that the repository carries, as a storage argument.
fn registry() -> String {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/registry");
    assert!(tree.join("docker/registry/v2").is_dir(), "{}", tree.display());
    format!("filesystem:rootdirectory={}", tree.display())
}

fn sync(from: &str, to: &str, options: &[&str]) -> Ended {
    run(&[&["sync", from, to], options].concat())
}

/// Every file below the root that is no upload, with its content.
fn tree(store: &Store) -> Vec<(String, Vec<u8>)> {
    let paths = store.text("walk", &[]);
    let files = paths.lines().filter(|key| !key.ends_with('/') && !key.contains("/_uploads/"));
    files.map(|path| (path.to_owned(), store.run("cat", &[path]).stdout)).collect()
}

/// The path of the first blob that is larger than a manifest.
fn some_blob(store: &Store) -> String {
    let entries = store.json("walk", &["/docker/registry/v2/blobs"]);
    let blob = entries.iter().find(|entry| entry["size"].as_u64() > Some(2000)).unwrap();
    blob["path"].as_str().unwrap().to_owned()
}

#[test]
fn a_registry_is_copied_and_verified() {
    let store = Store::new();
    let summary = sync(&registry(), &store.argument(), &["--verify"]).ok();
    assert!(summary.contains("each read back") && summary.trim_end().ends_with("; 0 faults"), "{summary}");
    let again = sync(&registry(), &store.argument(), &[]).ok();
    assert!(again.starts_with("0 files copied (0 bytes)"), "{again}");
    assert_eq!(store.json("verify", &[])[0]["faults"], 0);

    let copy = Store::new();
    sync(&store.argument(), &copy.argument(), &[]).ok();
    assert_eq!(tree(&copy), tree(&store));
}

#[test]
fn a_copy_can_end_in_memory() {
    let lines = objects(&sync(&registry(), "inmemory", &["--verify", "--json"]).ok());
    let (summary, copied) = lines.split_last().unwrap();
    assert_eq!(summary["event"], "summary");
    assert_eq!(summary["read_back"], true);
    assert_eq!(summary["copied"], copied.len());
    assert!(copied.iter().all(|line| line["event"] == "copied"), "{copied:?}");
}

#[test]
fn a_dry_run_changes_nothing_and_answers() {
    let (from, to) = (Store::with(&["/a", "/b/c"]), Store::new());
    let dry = sync(&from.argument(), &to.argument(), &["--dry-run"]);
    assert_eq!(dry.code, Some(1));
    let text = String::from_utf8(dry.stdout).unwrap();
    // Several are compared at once: which is told first is chance.
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.contains(&"would copy /a") && lines.contains(&"would copy /b/c"), "{text}");
    assert!(lines.iter().any(|line| line.starts_with("2 files would be copied")), "{text}");
    assert_eq!(to.text("walk", &[]), "");
    sync(&from.argument(), &to.argument(), &[]).ok();
    sync(&from.argument(), &to.argument(), &["--dry-run"]).ok();
    to.file("/d", b"extra");
    sync(&from.argument(), &to.argument(), &["--dry-run"]).ok();
    assert_eq!(sync(&from.argument(), &to.argument(), &["--dry-run", "--delete"]).code, Some(1));
    assert_eq!(to.text("cat", &["/d"]), "extra");
    sync(&from.argument(), &to.argument(), &["--delete"]).ok();
    assert_eq!(to.text("walk", &[]), "/a\n/b/\n/b/c\n");
}

#[test]
fn a_wrong_blob_is_a_fault_in_both() {
    let (store, copy) = (Store::new(), Store::new());
    sync(&registry(), &store.argument(), &[]).ok();
    let blob = some_blob(&store);
    let file = store.root().join(blob.trim_start_matches('/'));
    let mut content = std::fs::read(&file).unwrap();
    content[1000] ^= 1;
    std::fs::write(&file, content).unwrap();

    let report_file = tempfile::NamedTempFile::new().unwrap();
    let report = report_file.path().to_str().unwrap();
    let verified = store.run("verify", &["--json", "--report", report]);
    assert_eq!(verified.code, Some(1));
    let lines = objects(&String::from_utf8(verified.stdout).unwrap());
    assert_eq!(lines[0]["event"], "fault");
    assert_eq!(lines[0]["kind"], "corrupt-blob");
    assert_eq!(lines[0]["path"], blob);
    let reported = objects(&std::fs::read_to_string(report).unwrap());
    assert_eq!(reported.len(), lines.len() - 1, "the summary is no fault");
    assert_eq!(reported[0]["path"], blob);
    store.text("verify", &["--links-only"]);

    let synced = sync(&store.argument(), &copy.argument(), &[]);
    assert_eq!(synced.code, Some(1));
    let text = String::from_utf8(synced.stdout).unwrap();
    assert!(text.contains("fault corrupt-blob: "), "{text}");
    assert_eq!(copy.run("stat", &[&blob]).code, Some(1), "never published");
    assert_eq!(copy.json("uploads", &[]).len(), 0);
}

#[test]
fn verify_takes_a_sample_and_tells_how_to_repeat_it() {
    let summary = |options: &[&str]| {
        let storage = registry();
        let run = run(&[&["verify", storage.as_str(), "--json"], options].concat());
        objects(&run.ok()).pop().unwrap()
    };
    let all = summary(&[]);
    assert_eq!(all["hashed"], all["blobs"]);
    assert_eq!(all["seed"], serde_json::Value::Null);
    let some = summary(&["--sample", "30%"]);
    assert!(some["hashed"].as_u64() < all["hashed"].as_u64());
    let seed = some["seed"].to_string();
    let repeated = summary(&["--sample", "30%", "--seed", &seed]);
    assert_eq!((&repeated["hashed"], &repeated["hashed_bytes"]), (&some["hashed"], &some["hashed_bytes"]));
    let rest = summary(&["--start-after", "/docker/registry/v2/blobs/~"]);
    assert_eq!(rest["hashed"], 0);
}

#[test]
fn only_the_repositories_asked_for() {
    let (source, copy) = (registry(), Store::new());
    let storage = source.clone();
    let repositories = run(&["walk", &storage, "/docker/registry/v2/repositories"]).ok();
    let tag = repositories.lines().find(|key| key.ends_with("/_manifests/")).unwrap();
    let name = tag.trim_start_matches("/docker/registry/v2/repositories/").trim_end_matches("/_manifests/");
    sync(&source, &copy.argument(), &["--repository", name]).ok();
    let copied = copy.text("walk", &["/docker/registry/v2/repositories"]);
    assert!(copied.lines().filter(|key| key.ends_with("/_manifests/")).eq([tag]), "{copied}");
    assert_eq!(copy.json("verify", &[])[0]["faults"], 0);
    let absent = sync(&source, &copy.argument(), &["--repository", "no/such"]);
    let told = String::from_utf8(absent.stdout).unwrap();
    assert_eq!((absent.code, told.trim_end().ends_with("; 1 fault")), (Some(1), true), "{told}");
}

#[test]
fn overlapping_storages_are_refused() {
    let store = Store::with(&["/a/b"]);
    let below = format!("{}/a", store.argument());
    for (from, to, word) in [
        (&store.argument(), &store.argument(), "equal to"),
        (&store.argument(), &below, "above"),
        (&below, &store.argument(), "below"),
    ] {
        let message = sync(from, to, &[]).failed(2);
        assert!(message.contains(word), "{message}");
    }
    assert_eq!(store.files().len(), 1);
}

#[test]
fn usage() {
    let (from, to) = (Store::new().argument(), Store::new().argument());
    for options in [
        &["--transfers", "0"][..],
        &["--bandwidth", "fast"],
        &["--report", "/no/such/directory/report"],
        &["--repository", "Not A Name"],
    ] {
        sync(&from, &to, options).failed(2);
    }
    for options in [&["--sample", "0"][..], &["--sample", "2"], &["--start-after", "x"]] {
        run(&[&["verify", from.as_str()], options].concat()).failed(2);
    }
}

#[test]
fn a_closed_pipe_ends_a_copy_that_can_be_gone_on_with() {
    let (source, to) = (registry(), Store::new());
    let mut child = program(["sync", &source, &to.argument(), "--json"]).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(141));
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    assert_eq!(to.text("uploads", &[]), "");
    sync(&source, &to.argument(), &[]).ok();
    assert_eq!(to.json("verify", &[])[0]["faults"], 0);
}

#[test]
fn the_environment_applies_to_the_file_that_says_so() {
    let (one, two, other) = (Store::with(&["/one"]), Store::new(), Store::with(&["/other"]));
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = format!("storage:\n  filesystem:\n    rootdirectory: {}\n", one.root().display());
    std::fs::write(file.path(), text).unwrap();
    let file = file.path().display();
    let variable = "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY";

    let mut plain = program(["sync", &format!("@{file}"), &two.argument()]);
    end(plain.env(variable, other.root()), b"").ok();
    assert_eq!(two.text("walk", &[]), "/one\n");
    let mut asked = program(["sync", &format!("@env:{file}"), &two.argument()]);
    end(asked.env(variable, other.root()), b"").ok();
    assert_eq!(two.text("walk", &[]), "/one\n/other\n");
}

#[test]
fn machines_share_a_copy_and_each_tells_its_part() {
    let store = Store::new();
    for shard in ["2/3", "1/3", "3/3"] {
        let lines = objects(&sync(&registry(), &store.argument(), &["--json", "--shard", shard]).ok());
        assert_eq!(lines.last().unwrap()["shard"], shard);
    }
    let check = objects(&sync(&registry(), &store.argument(), &["--dry-run", "--json"]).ok());
    assert_eq!((check.len(), &check[0]["shard"]), (1, &serde_json::Value::Null));
    let told = sync(&registry(), &store.argument(), &["--shard", "1/1"]).ok();
    assert!(told.starts_with("shard 1/1: 0 files copied"), "{told}");
    for (bad, reason) in
        [("0/3", "no shard 0 of 3"), ("4/3", "no shard 4 of 3"), ("3", "`i/n`"), ("1/x", "`i/n`")]
    {
        let message = sync(&registry(), &store.argument(), &["--shard", bad]).failed(2);
        assert!(message.contains(reason) && message.contains("--shard"), "{message}");
    }
}

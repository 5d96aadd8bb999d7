//! 0, 1, 2 and 3, and what is said on standard error.

use serde_json::Value;

use crate::run::{Store, end, objects, program, run};

/// The error object on standard error.
fn error(mut arguments: Vec<&str>, code: i32) -> Value {
    arguments.push("--json");
    let text = run(&arguments).failed(code);
    let [object] = &objects(&text)[..] else { panic!("one object: {text}") };
    object["error"].clone()
}

#[test]
fn not_found_is_1() {
    let store = Store::with(&["/a/b"]);
    for (command, arguments) in [
        ("ls", &["/none"][..]),
        ("ls", &["/a/b"]),
        ("stat", &["/none"]),
        ("cat", &["/none"]),
        ("cat", &["/a"]),
        ("cat", &["/a/b", "--offset", "5"]),
        ("mv", &["/none", "/x"]),
        ("rm", &["/none"]),
        ("walk", &["/none"]),
    ] {
        let message = store.run(command, arguments).failed(1);
        assert!(message.starts_with("storagedriver: filesystem: "), "{message}");
        assert!(message.contains(arguments[0]), "{message}");
    }
}

#[test]
fn usage_is_2() {
    let store = Store::new();
    let storage = store.argument();
    for arguments in [
        &[][..],
        &["no-such-command"],
        &["ls"],
        &["ls", "filesystem", "/", "/", "/"],
        &["ls", "File System"],
        &["ls", "no-such-driver"],
        &["ls", "filesystem:rootdirectory"],
        &["ls", "filesystem:rootdirectoy=/x"],
        &["ls", "filesystem:maxthreads=many"],
        &["ls", "filesystem:rootdirectory=env:STORAGEDRIVER_TEST_UNSET"],
        &["ls", "filesystem:rootdirectory=file:/no/such/file"],
        &["ls", "@/no/such/file"],
        &["ls", &storage, "no-slash"],
        &["stat", &storage, "/a/../b"],
        &["walk", &storage, "--order", "random"],
        &["walk", &storage, "--start-after", "//"],
        &["uploads", &storage, "--abort-older-than", "long"],
        &["cat", &storage, "/"],
    ] {
        run(arguments).failed(2);
        assert_eq!(run(&[arguments, &["--json"]].concat()).code, Some(2));
    }
}

#[test]
fn a_failing_backend_is_3() {
    let store = Store::with(&["/file"]);
    let failed = end(&mut store.command("put", &["/file/below", "--json"]), b"x");
    assert_eq!(failed.code, Some(3));
    let error = &objects(&failed.stderr)[0]["error"];
    assert_eq!(error["kind"], "conflict");
    assert_eq!(error["path"], "/file/below");
}

#[test]
fn the_error_object_says_kind_driver_operation_and_path() {
    let store = Store::new();
    let not_found = error(vec!["stat", &store.argument(), "/none"], 1);
    assert_eq!(not_found["kind"], "path_not_found");
    assert_eq!(not_found["driver"], "filesystem");
    assert_eq!(not_found["operation"], "stat");
    assert_eq!(not_found["path"], "/none");
    assert_eq!(not_found["message"], "filesystem: stat /none: path not found");

    let unknown = error(vec!["ls", "s4"], 2);
    assert_eq!((&unknown["kind"], &unknown["driver"]), (&"invalid_storage_driver".into(), &"s4".into()));
    assert_eq!(error(vec!["ls"], 2)["kind"], "usage");
    assert_eq!(error(vec!["ls", "filesystem:x=1"], 2)["kind"], "invalid_parameter");
}

#[test]
fn help_and_version_are_answers() {
    for arguments in [&["--help"][..], &["-h"], &["ls", "--help"], &["--version"], &["help", "put"]] {
        assert!(run(arguments).ok().contains("storagedriver"), "{arguments:?}");
    }
}

#[test]
fn parameters_are_read_from_the_environment_and_from_files() {
    let store = Store::with(&["/a"]);
    let root = store.root().to_str().unwrap();
    let mut command = program(["ls", "filesystem:rootdirectory=env:STORAGEDRIVER_TEST_ROOT"]);
    assert_eq!(end(command.env("STORAGEDRIVER_TEST_ROOT", root), b"").ok(), "/a\n");

    let file = tempfile::NamedTempFile::new().unwrap();
    for end_of_line in ["", "\n", "\r\n"] {
        std::fs::write(file.path(), format!("{root}{end_of_line}")).unwrap();
        let argument = format!("filesystem:rootdirectory=file:{}", file.path().display());
        assert_eq!(run(&["ls", &argument]).ok(), "/a\n");
    }
}

#[test]
fn a_configuration_file_with_the_environment_over_it() {
    let (one, two) = (Store::with(&["/one"]), Store::with(&["/two"]));
    let file = tempfile::NamedTempFile::new().unwrap();
    let text =
        format!("version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\n", one.root().display());
    std::fs::write(file.path(), text).unwrap();
    let argument = format!("@{}", file.path().display());
    assert_eq!(run(&["ls", &argument]).ok(), "/one\n");
    let mut overridden = program(["ls", &argument]);
    overridden.env("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", two.root());
    assert_eq!(end(&mut overridden, b"").ok(), "/two\n");
}

#[test]
fn logs_go_to_standard_error_at_the_level_asked_for() {
    let store = Store::with(&["/a"]);
    assert_eq!(store.text("ls", &["--log", "info"]), "/a\n");
    let logged = store.run("ls", &["--log", "debug"]);
    assert_eq!(logged.stdout, b"/a\n");
    assert!(logged.stderr.contains("operation=\"list\" path=/"), "{}", logged.stderr);
    let refusal = store.run("ls", &["--log", "loud"]).failed(2);
    assert!(refusal.contains("loud"), "{refusal}");
}

#[test]
fn standard_error_that_nobody_reads_changes_nothing() {
    let store = Store::with(&["/a"]);
    for (command, arguments, code) in
        [("ls", &["--log", "trace"][..], 0), ("ls", &["/none"], 1), ("ls", &["--no-such-option"], 2)]
    {
        let mut child = store.command(command, arguments).spawn().unwrap();
        drop(child.stderr.take());
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(code));
    }
}

#[cfg(not(feature = "hdfs"))]
#[test]
fn a_driver_that_was_left_out_is_told_with_its_feature() {
    for arguments in [vec!["ls", "hdfs:namenode=a"], vec!["drivers", "hdfs"]] {
        let told = error(arguments, 2);
        assert_eq!((&told["kind"], &told["driver"]), (&"invalid_storage_driver".into(), &"hdfs".into()));
        let message = told["message"].as_str().unwrap();
        assert!(message.contains("`--features hdfs`") && message.contains("storagedriver-hdfs"), "{message}");
    }
}

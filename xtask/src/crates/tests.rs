//! Each driver stands alone: whoever builds one gets nothing of the others.

use std::collections::BTreeSet;

use super::*;

const PROGRAM: &str = "storagedriver-cli";

/// The drivers that may be built of another, each with that.
const BUILT_OF: [(&str, &str); 5] = [
    ("storagedriver-bos", "storagedriver-s3"),
    ("storagedriver-obs", "storagedriver-s3"),
    ("storagedriver-oss", "storagedriver-s3"),
    ("storagedriver-storj", "storagedriver-s3"),
    ("storagedriver-us3", "storagedriver-s3"),
];

/// Crates that bring many others, each with the drivers that need it. Nothing else may pull it in.
const HEAVY: [(&str, &[&str]); 5] = [
    // Credentials from the files of the AWS tools: a feature that nothing has by default.
    ("aws-config", &[]),
    ("hdfs-native", &["storagedriver-hdfs"]),
    (
        "object_store",
        &[
            "storagedriver-azure",
            "storagedriver-gcs",
            "storagedriver-objectstore",
            "storagedriver-s3",
            "storagedriver-swift",
        ],
    ),
    ("opendal", &["storagedriver-opendal"]),
    ("tonic", &["storagedriver-ipc"]),
];

/// The names of the crates that a build of `package` takes on this machine. Offline: whoever runs tests has them all.
fn tree(project: &Project, package: &str, arguments: &[&str]) -> BTreeSet<String> {
    let mut tree = project.cargo();
    tree.args(["tree", "--offline", "--locked", "--edges", "normal,build", "--prefix", "none"]);
    let tree = output(tree.args(["--format", "{p}", "--package", package]).args(arguments)).unwrap();
    tree.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// What is in a tree that belongs to other drivers than `driver`; without one, to any.
fn others(tree: &BTreeSet<String>, drivers: &[Crate], driver: Option<&str>) -> Vec<String> {
    let base = driver.and_then(|driver| BUILT_OF.iter().find(|(name, _)| *name == driver));
    let own: Vec<&str> = driver.into_iter().chain(base.map(|(_, base)| *base)).collect();
    let is_other = |name: &str| drivers.iter().any(|driver| driver.name == name) && !own.contains(&name);
    let is_heavy = |name: &str, heavy: &str, needed: &[&str]| {
        (name == heavy || name.starts_with(&format!("{heavy}-")))
            && !own.iter().any(|own| needed.contains(own))
    };
    let strange = tree
        .iter()
        .filter(|name| is_other(name) || HEAVY.iter().any(|(heavy, needed)| is_heavy(name, heavy, needed)));
    strange.cloned().collect()
}

/// The feature of the program that adds a crate.
fn feature<'a>(program: &'a Crate, driver: &str) -> Option<&'a str> {
    let adds = format!("dep:{driver}");
    program.features.iter().find(|(_, what)| what.contains(&adds)).map(|(feature, _)| feature.as_str())
}

fn program(project: &Project) -> Crate {
    all(project).unwrap().into_iter().find(|found| found.name == PROGRAM).unwrap()
}

#[test]
fn a_driver_pulls_in_nothing_of_the_others() {
    let project = Project::find().unwrap();
    let drivers = drivers(&project).unwrap();
    assert!(drivers.len() >= 7, "drivers are not found");
    for driver in &drivers {
        let tree = tree(&project, &driver.name, &[]);
        let strange = others(&tree, &drivers, Some(&driver.name));
        assert!(strange.is_empty(), "{} pulls in {strange:?}", driver.name);
        // A name that is no longer right would let everything pass.
        for (heavy, needed) in HEAVY {
            let there = tree.iter().any(|name| name.starts_with(heavy));
            assert!(there || !needed.contains(&&*driver.name), "{} has no {heavy}", driver.name);
        }
    }
}

#[test]
fn a_program_with_one_driver_pulls_in_nothing_of_the_others() {
    let project = Project::find().unwrap();
    let (drivers, program) = (drivers(&project).unwrap(), program(&project));
    let bare = tree(&project, PROGRAM, &["--no-default-features"]);
    assert_eq!(others(&bare, &drivers, None), [""; 0], "the program without drivers");
    for driver in drivers.iter().filter(|driver| driver.registers().unwrap()) {
        let feature = feature(&program, &driver.name)
            .unwrap_or_else(|| panic!("the program has no feature for {}", driver.name));
        let tree = tree(&project, PROGRAM, &["--no-default-features", "--features", feature]);
        assert!(tree.contains(&driver.name), "the feature {feature} does not add {}", driver.name);
        let strange = others(&tree, &drivers, Some(&driver.name));
        assert!(strange.is_empty(), "the program with {feature} alone pulls in {strange:?}");
    }
}

#[test]
fn the_feature_all_has_every_driver() {
    let project = Project::find().unwrap();
    let program = program(&project);
    for driver in drivers(&project).unwrap() {
        if let Some(feature) = feature(&program, &driver.name) {
            assert!(program.features["all"].iter().any(|name| name == feature), "`all` lacks `{feature}`");
        }
    }
}

#[test]
fn every_feature_of_the_program_is_described() {
    let project = Project::find().unwrap();
    let page = read(&project.root.join("docs/program.md")).unwrap();
    for feature in program(&project).features.keys().filter(|feature| *feature != "default") {
        let name = format!("`{feature}`");
        let is_told = |row: &str| {
            row.strip_prefix("| ")
                .and_then(|row| row.split('|').next())
                .is_some_and(|cell| cell.contains(&name))
        };
        assert!(page.lines().any(is_told), "docs/program.md has no row for the feature {name}");
    }
}

/// `cargo xtask third-party` builds every package by itself, so one that lacks a feature of a dependency which another
/// crate of the workspace turns on fails there.
#[test]
fn every_driver_is_published() {
    for driver in drivers(&Project::find().unwrap()).unwrap() {
        assert!(driver.published, "{} has `publish = false`", driver.name);
    }
}

#[test]
fn what_belongs_to_another_driver_is_noticed() {
    let project = Project::find().unwrap();
    let drivers = drivers(&project).unwrap();
    let tree: BTreeSet<String> =
        ["storagedriver-s3", "object_store", "tonic-prost", "tokio"].map(str::to_owned).into();
    assert_eq!(others(&tree, &drivers, Some("storagedriver-s3")), ["tonic-prost"]);
    assert_eq!(others(&tree, &drivers, Some("storagedriver-oss")), ["tonic-prost"]);
    assert_eq!(others(&tree, &drivers, Some("storagedriver-ipc")), ["object_store", "storagedriver-s3"]);
    assert_eq!(others(&tree, &drivers, None), ["object_store", "storagedriver-s3", "tonic-prost"]);
}

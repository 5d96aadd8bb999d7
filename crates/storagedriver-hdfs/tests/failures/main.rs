//! What the suite has no cases for: processes that die, and answers of the NameNode that are lost. On the server that
//! `cargo xtask conformance` has started, after the suite.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

mod answers;
mod relay;
mod restarts;

use std::sync::{Mutex, PoisonError};

use storagedriver::{Factory, Parameters, Storage};
use storagedriver_hdfs::DRIVER;

/// Says where the server is, and in which files the numbers of its processes are.
const STORAGE: &str = "STORAGEDRIVER_CONFORMANCE_STORAGE";

/// There is one server.
static TURN: Mutex<()> = Mutex::new(());

fn given() -> serde_json::Value {
    let given = std::env::var(STORAGE)
        .unwrap_or_else(|_| panic!("{STORAGE} is not set: run this by `cargo xtask conformance hdfs`"));
    serde_json::from_str(&given).unwrap()
}

/// Where the NameNode listens.
fn namenode() -> String {
    given()["parameters"]["namenode"].as_str().unwrap().to_owned()
}

/// A driver for a directory of the server.
async fn storage(root: &str) -> Storage {
    storage_by(root, &namenode()).await
}

/// The same, by another way to its NameNode.
async fn storage_by(root: &str, namenode: &str) -> Storage {
    let given = given();
    let mut parameters = Parameters::new();
    for (name, value) in given["parameters"].as_object().unwrap() {
        parameters.insert(name, value.as_str().unwrap());
    }
    parameters.insert("namenode", namenode);
    parameters.insert("rootdirectory", root);
    parameters.insert("blocksize", "1 MiB");
    Factory::new().with(DRIVER).create("hdfs", parameters).await.unwrap()
}

fn new_root(name: &str) -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("/failures/{name}-{:x}", since.as_nanos())
}

fn run(future: impl Future<Output = ()>) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future);
}

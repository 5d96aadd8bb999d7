//! Executables that stay, for a suite with many cases.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::drivers::{rerun, write_script};

/// The path of an executable that runs one of the drivers, in cargo's directory for what tests write.
pub(crate) fn kept(name: &str) -> PathBuf {
    static WRITING: Mutex<()> = Mutex::new(());
    let program = std::env::current_exe().unwrap();
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(program.file_name().unwrap());
    let path = directory.join(format!("registry-storage-{name}"));
    let _one_at_a_time = WRITING.lock().unwrap();
    if !path.exists() {
        fs::create_dir_all(directory).unwrap();
        write_script(&path, &rerun(&format!("drivers::{name}")));
    }
    path
}

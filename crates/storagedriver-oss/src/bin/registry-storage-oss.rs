//! The driver `oss` as a process of its own: `docs/out-of-process.md`.

fn main() -> std::process::ExitCode {
    storagedriver_ipc::main(&[storagedriver_oss::DRIVER])
}

//! The driver `obs` as a process of its own: `docs/out-of-process.md`.

fn main() -> std::process::ExitCode {
    storagedriver_ipc::main(&[storagedriver_obs::DRIVER])
}

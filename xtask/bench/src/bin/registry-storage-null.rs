//! The driver `null` out of process.

fn main() -> std::process::ExitCode {
    storagedriver_ipc::main(&[storagedriver_bench::null::DRIVER])
}

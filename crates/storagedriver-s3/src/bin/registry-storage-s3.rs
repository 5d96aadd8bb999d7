//! The driver `s3` as a process of its own: `docs/out-of-process.md`.

fn main() -> std::process::ExitCode {
    storagedriver_ipc::main(&[storagedriver_s3::DRIVER, storagedriver_s3::DRIVER_S3AWS])
}

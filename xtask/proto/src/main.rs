//! `storagedriver-proto PROTO_DIRECTORY OUT_DIRECTORY`: makes `storagedriver.v1.rs` from the schema. The compiler of the schema is
//! written in Rust, so that no `protoc` is needed.

use std::error::Error;

/// What may hold a secret: its Debug output is written by hand.
const SECRETIVE: [&str; 5] = ["Value", "Value.kind", "ValueList", "ValueMap", "OpenRequest"];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [schema, out] = arguments.as_slice() else {
        return Err("usage: storagedriver-proto PROTO_DIRECTORY OUT_DIRECTORY".into());
    };
    let descriptors = protox::compile(["storagedriver/v1/driver.proto"], [schema])?;
    tonic_prost_build::configure()
        .build_transport(false)
        .bytes(".")
        .skip_debug(SECRETIVE.map(|message| format!(".storagedriver.v1.{message}")))
        .out_dir(out)
        .compile_fds(descriptors)?;
    Ok(())
}

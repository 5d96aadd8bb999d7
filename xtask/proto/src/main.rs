//! `storagedriver-proto rust|descriptor PROTO_DIRECTORY OUT_DIRECTORY`: makes `storagedriver.v1.rs`, or the schema as data, from
//! the schema. The compiler of the schema is written in Rust, so that no `protoc` is needed.

use std::error::Error;
use std::path::Path;

use prost::Message;

/// The schema, relative to its directory.
const SCHEMA: &str = "storagedriver/v1/driver.proto";

/// What may hold a secret: its Debug output is written by hand.
const SECRETIVE: [&str; 5] = ["Value", "Value.kind", "ValueList", "ValueMap", "OpenRequest"];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, schema, out] = arguments.as_slice() else {
        return Err("usage: storagedriver-proto rust|descriptor PROTO_DIRECTORY OUT_DIRECTORY".into());
    };
    let mut descriptors = protox::compile([SCHEMA], [schema])?;
    match kind.as_str() {
        "rust" => tonic_prost_build::configure()
            .build_transport(false)
            .bytes(".")
            .skip_debug(SECRETIVE.map(|message| format!(".storagedriver.v1.{message}")))
            .out_dir(out)
            .compile_fds(descriptors)?,
        "descriptor" => {
            descriptors.file.retain(|file| file.name() == SCHEMA);
            for file in &mut descriptors.file {
                // Comments.
                file.source_code_info = None;
            }
            std::fs::write(Path::new(out).join("storagedriver.v1.binpb"), descriptors.encode_to_vec())?;
        }
        _ => return Err(format!("nothing of the kind {kind} can be made").into()),
    }
    Ok(())
}

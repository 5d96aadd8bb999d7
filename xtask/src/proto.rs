//! What is made from the schema of drivers out of process, for each language: checked in, so that no build of a
//! driver needs a generator.

use std::fs;
use std::path::{Path, PathBuf};

use crate::project::{self, Mode, Outcome, Project, entries};
use crate::servers::install;
use crate::servers::versions::GoProgram;

/// The directory of the schema, and its path in it.
const SCHEMA: (&str, &str) = ("crates/storagedriver-ipc/proto", "storagedriver/v1/driver.proto");

/// The compiler of the schema for Go and Python, as the package of Python's that brings it. Its release decides
/// which version of protobuf the generated Python asks for.
const GRPCIO_TOOLS: &str = "grpcio-tools==1.85.1";

const PROTOC_GEN_GO: GoProgram = GoProgram {
    name: "protoc-gen-go",
    package: "google.golang.org/protobuf/cmd/protoc-gen-go",
    version: "v1.36.12",
};

const PROTOC_GEN_GO_GRPC: GoProgram = GoProgram {
    name: "protoc-gen-go-grpc",
    package: "google.golang.org/grpc/cmd/protoc-gen-go-grpc",
    version: "v1.6.2",
};

/// The module whose package the generated Go is.
const GO_MODULE: &str = "github.com/storagedriver/storagedriver/kits/go";

/// Makes the generated files afresh, or checks that they are what would be made.
pub(crate) fn run(project: &Project, mode: Mode) -> Outcome {
    let place = project.target.join("proto");
    let made = place.join("made");
    if made.exists() {
        fs::remove_dir_all(&made)?;
    }
    let mut faults = Vec::new();
    for (make, into) in [
        (rust as fn(&Project, &Path) -> Outcome, "crates/storagedriver-ipc/src/proto"),
        (descriptor, "crates/storagedriver-ipc/proto"),
        (go, "kits/go/driverpb"),
        (python, "kits/python/storagedriver_kit/_proto"),
    ] {
        let from = made.join(into);
        fs::create_dir_all(&from)?;
        make(project, &from)?;
        for file in entries(&from)? {
            let target = project.root.join(into).join(file.file_name().ok_or("a file has a name")?);
            if fs::read(&target).ok() == Some(fs::read(&file)?) {
                continue;
            }
            match mode {
                Mode::Check => faults.push(project.relative(&target).to_string()),
                Mode::Write => {
                    fs::create_dir_all(project.root.join(into))?;
                    fs::copy(&file, &target)?;
                    println!("{}: brought up to date", project.relative(&target));
                }
            }
        }
    }
    if faults.is_empty() {
        println!("proto: the generated code is what the schema says");
        return Ok(());
    }
    Err(format!("not what the schema says; run `cargo xtask proto`:\n  {}", faults.join("\n  ")).into())
}

/// The generator of this repository's own, for Rust. Its compiler of the schema is Rust too.
fn generator(project: &Project, kind: &str, into: &Path) -> Outcome {
    let mut generator = project.cargo();
    generator.args([
        "run",
        "--quiet",
        "--locked",
        "--manifest-path",
        "xtask/proto/Cargo.toml",
        "--target-dir",
    ]);
    generator.arg(project.target.join("proto/generator")).args(["--", kind, SCHEMA.0]);
    project::run(generator.arg(into))
}

fn rust(project: &Project, into: &Path) -> Outcome {
    generator(project, "rust", into)
}

fn descriptor(project: &Project, into: &Path) -> Outcome {
    generator(project, "descriptor", into)
}

/// `protoc` with its arguments, all but what to make.
fn protoc(project: &Project) -> Outcome<std::process::Command> {
    let programs = install::pip(project, GRPCIO_TOOLS, &[GRPCIO_TOOLS])?;
    let mut protoc = project.command(&programs.join("python").display().to_string());
    protoc.args(["-m", "grpc_tools.protoc", "--proto_path", SCHEMA.0, SCHEMA.1]);
    Ok(protoc)
}

fn go(project: &Project, into: &Path) -> Outcome {
    let plugin = |program: &GoProgram| -> Outcome<String> {
        let built: PathBuf = install::go(project, program)?;
        Ok(format!("--plugin={}={}", program.name, built.display()))
    };
    let out = into.parent().ok_or("it lies in the module")?;
    let mut protoc = protoc(project)?;
    protoc.arg(plugin(&PROTOC_GEN_GO)?).arg(plugin(&PROTOC_GEN_GO_GRPC)?);
    for kind in ["go", "go-grpc"] {
        protoc.arg(format!("--{kind}_out={}", out.display())).arg(format!("--{kind}_opt=module={GO_MODULE}"));
    }
    project::run(&mut protoc)
}

fn python(project: &Project, into: &Path) -> Outcome {
    let place = into.join("package");
    fs::create_dir_all(&place)?;
    let mut protoc = protoc(project)?;
    for kind in ["python", "pyi", "grpc_python"] {
        protoc.arg(format!("--{kind}_out={}", place.display()));
    }
    project::run(&mut protoc)?;
    for file in entries(&place.join("storagedriver/v1"))? {
        // It is found beside this file, and not by a name of its own among all packages.
        let text = project::read(&file)?.replace("\nfrom storagedriver.v1 import ", "\nfrom . import ");
        fs::write(into.join(file.file_name().ok_or("a file has a name")?), text)?;
    }
    Ok(fs::remove_dir_all(place)?)
}

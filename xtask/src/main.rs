//! Development tasks: `cargo xtask <task>`. Each task is a module; `USAGE` lists them.

mod bench;
mod conformance;
mod crates;
mod docs;
mod project;
mod proto;
mod rust_version;
mod servers;
mod soak;
mod third_party;

use std::process::ExitCode;

use project::{Mode, Outcome, Project};

const USAGE: &str = "\
usage: cargo xtask <task>

  bench [--quick] [--driver NAME] [--subject NAME] [WORKLOAD...]
                           times the drivers inmemory, filesystem and s3 beside Distribution's,
                           OpenDAL, object_store and bare system calls, and the process boundary
                           beside gRPC alone; prints the tables, says which goals are reached, and
                           writes target/bench/results.json and chart.svg
  bench --docs             puts those results into the tables of docs/speed.md
  ci                       everything that CI runs (.ci/run)
  conformance [DRIVER...]  the suite on every store that can be reached here; prints the matrix
                           and writes target/conformance/report.json
  docs [--check]           brings the generated parts of the documentation up to date, and checks
                           its links; --check changes nothing
  proto [--check]          makes the code of drivers out of process from its schema, for Rust,
                           Go and Python; --check changes nothing
  rust-version             checks the oldest compiler that the crates state
  server [NAME]            starts one of the servers that conformance uses, prints the storage on
                           it, and stops it when interrupted; without a name: which there are
  soak [--minutes NUMBER]  mixed operations on four drivers for ten minutes, or as long as it says: no memory, file,
                           task or socket may grow
  third-party              packages every crate, and builds and tests the third-party driver
                           from the packages";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Outcome {
    let project = Project::find()?;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["bench", arguments @ ..] => bench::run(&project, arguments),
        ["ci"] => project::run(project.command("bash").arg(".ci/run")),
        ["conformance", drivers @ ..] => conformance::run(&project, drivers),
        ["docs"] => docs::run(&project, Mode::Write),
        ["docs", "--check"] => docs::run(&project, Mode::Check),
        ["proto"] => proto::run(&project, Mode::Write),
        ["proto", "--check"] => proto::run(&project, Mode::Check),
        ["rust-version"] => rust_version::run(&project),
        ["server"] => {
            println!("{}", servers::list());
            Ok(())
        }
        ["server", name] => servers::serve(&project, name),
        ["soak", arguments @ ..] => soak::run(&project, arguments),
        ["third-party"] => third_party::run(&project),
        [] | ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(format!("unknown task: {}\n\n{USAGE}", arguments.join(" ")).into()),
    }
}

//! One subject does one piece of work, and says how long it took. `cargo xtask bench` starts this
//! program anew for each, so that memory and connections of one are not another's, and reads the
//! requests and the memory from outside.
//!
//! `storagedriver-bench SUBJECT STEP...`, with the storage in the variable `STORAGEDRIVER_BENCH_STORAGE`; a step is an object of JSON
//! (`step.rs`). It does all steps but the last, prints `ready`, waits for a line, does the last, prints `done` with what
//! it took, and ends when its input does. The program in `go/` keeps to the same.
//! `storagedriver-bench echo-server SOCKET` is the other end of the subject `echo`.

mod echo;
mod object_store_subject;
mod opendal_subject;
mod ours;
mod parameters;
mod raw;
mod step;
mod subject;
mod work;

use std::io::{self, BufRead, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use parameters::Parameters;
use step::Step;
use subject::{Outcome, Subject};
use work::Work;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", arguments.join(" "));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let ["echo-server", socket] = arguments {
        return runtime.block_on(echo::serve(Path::new(socket)));
    }
    let [subject, steps @ ..] = arguments else {
        return Err("usage: storagedriver-bench SUBJECT STEP...".into());
    };
    let steps = steps.iter().map(|step| Step::parse(step)).collect::<Outcome<Vec<_>>>()?;
    let parameters = Parameters::from_environment()?;
    runtime.block_on(async {
        match *subject {
            "ours" | "in-process" => measure(ours::Ours::open(&parameters).await?, steps).await,
            "echo" => measure(echo::Echo::open().await?, steps).await,
            "opendal" => measure(opendal_subject::OpenDal::open(&parameters)?, steps).await,
            "object_store" => measure(object_store_subject::Objects::open(&parameters)?, steps).await,
            "raw" => measure(raw::Raw::open(&parameters)?, steps).await,
            other => Err(format!("no subject `{other}`").into()),
        }
    })
}

async fn measure<S: Subject>(subject: S, mut steps: Vec<Step>) -> Outcome {
    let subject = Arc::new(subject);
    let last = steps.pop().ok_or("there is no step")?;
    // The first connection and what is made once are not part of the work.
    let warm = format!("/warm/{}", std::process::id());
    subject.put(&warm, bytes::Bytes::from_static(b"warm")).await?;
    subject.get(&warm).await?;
    for step in steps {
        Work::prepare(step)?.run(subject.clone()).await?;
    }
    let work = Work::prepare(last)?;
    say("ready")?;
    io::stdin().lock().read_line(&mut String::new())?;
    let took = work.run(subject.clone()).await?;
    say(&format!("done {}", took.json()))?;
    // Whoever measures reads our memory now.
    io::stdin().lock().read_line(&mut String::new())?;
    Ok(())
}

fn say(line: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()
}

//! One subject does one piece of work, and says how long it took. `cargo xtask bench` starts this
//! program anew for each, so that memory and connections of one are not another's, and reads the
//! requests and the memory from outside.
//!
//! `storagedriver-bench SUBJECT WORK COUNT SIZE WORKERS FROM TO`, with the storage in the variable
//! `STORAGEDRIVER_BENCH_STORAGE`. It prints `ready`, waits for a line, works, prints `done` with the
//! nanoseconds, and ends when its input does. The program in `go/` keeps to the same.
//! `storagedriver-bench echo-server SOCKET` is the other end of the subject `echo`.

mod echo;
mod object_store_subject;
mod opendal_subject;
mod ours;
mod parameters;
mod subject;
mod work;

use std::io::{self, BufRead, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use parameters::Parameters;
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
    let [subject, work, count, size, workers, from, to] = arguments else {
        return Err("usage: storagedriver-bench SUBJECT WORK COUNT SIZE WORKERS FROM TO".into());
    };
    let work = Work {
        kind: (*work).to_owned(),
        count: count.parse()?,
        size: size.parse()?,
        workers: workers.parse()?,
        from: (*from).to_owned(),
        to: (*to).to_owned(),
    };
    let parameters = Parameters::from_environment()?;
    runtime.block_on(async {
        let subject: Arc<dyn Subject> = match *subject {
            "ours" | "in-process" => Arc::new(ours::Ours::open(&parameters).await?),
            "echo" => Arc::new(echo::Echo::open().await?),
            "opendal" => Arc::new(opendal_subject::OpenDal::open(&parameters)?),
            "object_store" => Arc::new(object_store_subject::ObjectStoreS3::open(&parameters)?),
            other => return Err(format!("no subject `{other}`").into()),
        };
        measure(subject, work).await
    })
}

async fn measure(subject: Arc<dyn Subject>, work: Work) -> Outcome {
    // The first connection and what is made once are not part of the work.
    let warm = format!("/warm/{}", std::process::id());
    subject.put(&warm, bytes::Bytes::from_static(b"warm")).await?;
    subject.get(&warm).await?;
    say("ready")?;
    io::stdin().lock().read_line(&mut String::new())?;
    let started = Instant::now();
    work.run(&subject).await?;
    say(&format!("done {}", started.elapsed().as_nanos()))?;
    // Whoever measures reads our memory now.
    io::stdin().lock().read_line(&mut String::new())?;
    Ok(())
}

fn say(line: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()
}

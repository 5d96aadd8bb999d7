//! The program `storagedriver`: see `docs/program.md`.

mod arguments;
mod commands;
mod failure;
mod format;
mod interrupt;
mod linked;
mod local_input;
mod metrics;
mod open;
mod output;
mod paint;
mod progress;
mod wrap;

use std::process::ExitCode;
use std::time::Duration;

use arguments::{CommandLine, Global};
use commands::Session;
use failure::{Answer, Failure, error_line};
use interrupt::Interrupt;
use output::Output;
use paint::Paint;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// How long work that storage still has running may take to end after the command, such as a
/// staging file that is being removed.
const SHUTDOWN: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let line = match arguments::parse() {
        Ok(line) => line,
        Err(error) => return usage(&error),
    };
    let json = line.global.json;
    match start(line) {
        Ok(Answer::Yes) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Err(failure) => {
            if let Some(report) = failure.report(json, Paint::stderr()) {
                // With standard error gone there is nobody left to tell; the exit code still does.
                let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{report}\n"));
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

fn start(line: CommandLine) -> Result<Answer, Failure> {
    log_to_stderr(&line.global);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| Failure::Local { what: "starting the runtime".to_owned(), source })?;
    let outcome = runtime.block_on(async {
        let interrupt = Interrupt::listen(line.command.only_reads())?;
        let mut session = Session { output: Output::new(line.global.json), interrupt, global: line.global };
        let answer = commands::run(line.command, &mut session).await;
        // What was said before a failure is part of the answer; the failure itself is the news.
        let flushed = session.output.flush();
        let answer = answer?;
        flushed.map(|()| answer)
    });
    runtime.shutdown_timeout(SHUTDOWN);
    outcome
}

fn log_to_stderr(global: &Global) {
    let quiet = if global.quiet { LevelFilter::ERROR } else { LevelFilter::WARN };
    tracing_subscriber::fmt()
        .with_max_level(global.log.unwrap_or(quiet))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        // Each storage operation is a span at level debug; its end tells how long it took.
        .with_span_events(FmtSpan::CLOSE)
        // With standard error gone it would panic in telling so.
        .log_internal_errors(false)
        .init();
}

/// Help and version are answers; everything else that clap reports is a mistake in the usage.
fn usage(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os().any(|argument| argument == "--json");
    if error.use_stderr() && json {
        let text = error.to_string();
        let message = text.trim_end().trim_start_matches("error: ");
        let report = error_line("usage", message, Vec::new());
        let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{report}\n"));
    } else {
        let _ = error.print();
    }
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

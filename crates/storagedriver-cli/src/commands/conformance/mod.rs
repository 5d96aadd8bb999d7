//! `conformance`: the suite that every driver is tested by, on a live storage.

mod results;
mod scratch;

use std::fmt;
use std::io::Write as _;
use std::sync::Arc;

use futures_util::StreamExt;
use serde::Serialize;
use storagedriver_testsuites::{CASES, Case, Harness, Outcome, check};

use self::results::{Results, area};
use self::scratch::Scratch;
use super::Session;
use crate::arguments::Conformance;
use crate::failure::{Answer, Failure, error_line};
use crate::open;
use crate::output::Record;
use crate::paint::Paint;
use crate::progress::Meter;

/// A case that there is.
#[derive(Serialize)]
struct Listed {
    case: &'static str,
    area: &'static str,
    /// What it checks, by the ids in the contract.
    sentences: &'static [&'static str],
    /// The guarantees without which it is skipped.
    needs: Vec<&'static str>,
}

impl Record for Listed {
    fn text(&self, f: &mut fmt::Formatter<'_>, _: Paint) -> fmt::Result {
        f.write_str(self.case)
    }
}

/// That the suite is about to run.
#[derive(Serialize)]
struct Start<'a> {
    event: &'static str,
    driver: &'a str,
    scratch: &'a str,
    cases: usize,
}

/// How a case ended.
#[derive(Serialize)]
struct Ended<'a> {
    event: &'static str,
    case: &'static str,
    area: &'static str,
    outcome: &'static str,
    reason: &'a str,
}

pub(crate) async fn run(arguments: Conformance, session: &mut Session) -> Result<Answer, Failure> {
    let cases = chosen(&arguments.cases)?;
    let text = match &arguments.storage {
        Some(text) if !arguments.list => text,
        _ => return list(&cases, session),
    };
    let mut interrupt = session.interrupt.clone();
    let resolved = open::resolve_only(text)?;
    if let Some(reason) = resolved.forbids_writing() {
        return Err(Failure::Usage(format!("{reason}, and the suite writes: it is not run on this storage")));
    }
    let storage = interrupt.or(async { Ok(resolved.clone().open().await?) }).await?;
    // Without that nothing else means anything.
    interrupt.or(async { Ok(storage.stat("/").await?) }).await?;
    let scratch = Scratch::new(resolved, storage.clone(), &arguments)?;
    let removal = scratch.removal(text);
    let words = format!("ended before it had tidied up; this removes what is left: {removal}");
    interrupt.set_last_words(Some(last_words(session, &words)));
    let ran = run_in(&scratch, &cases, arguments.jobs, session).await;
    if let Err(Failure::Interrupted(signal)) = &ran {
        tell(session, &format!("{signal}: removing {}; once more ends at once", scratch.path()));
    }
    // After a signal and after a failure, too: nothing is left behind.
    let swept = scratch.sweep(ran.is_err()).await;
    interrupt.set_last_words(None);
    let Err(source) = swept else { return ran };
    let what = format!("tidying up failed; once that is mended, this does it: {removal}");
    let untidy = Failure::Unfit { what, source };
    match ran {
        Ok(_) | Err(Failure::Interrupted(_)) => Err(untidy),
        // What failed first is the answer; that something is left has to be known all the same.
        Err(failure) => {
            if scratch.may_hold_something().await {
                report(session, &untidy);
            }
            Err(failure)
        }
    }
}

/// The cases whose names contain one of the filters; all without any.
fn chosen(filters: &[String]) -> Result<Vec<&'static Case>, Failure> {
    for filter in filters {
        if !CASES.iter().any(|case| case.name.contains(filter.as_str())) {
            let reason = format!("no case has {filter:?} in its name; `conformance --list` prints the names");
            return Err(Failure::Usage(reason));
        }
    }
    let asked =
        |case: &&Case| filters.is_empty() || filters.iter().any(|filter| case.name.contains(filter.as_str()));
    Ok(CASES.iter().filter(asked).collect())
}

fn list(cases: &[&'static Case], session: &mut Session) -> Result<Answer, Failure> {
    for case in cases {
        session.output.record(&Listed {
            case: case.name,
            area: area(case),
            sentences: case.sentences,
            needs: case.needs.iter().map(|guarantee| guarantee.as_str()).collect(),
        })?;
    }
    Ok(Answer::Yes)
}

/// Runs the cases, and tells how they ended.
async fn run_in(
    scratch: &Scratch,
    cases: &[&'static Case],
    jobs: u16,
    session: &mut Session,
) -> Result<Answer, Failure> {
    let mut interrupt = session.interrupt.clone();
    interrupt.or(scratch.probe()).await?;
    silence_panics();
    let storage = scratch.storage();
    let start = Start { event: "start", driver: storage.name(), scratch: scratch.path(), cases: cases.len() };
    if session.output.json() {
        session.output.object(&start)?;
        session.output.flush()?;
    } else {
        tell(session, &format!("{} cases on {} in {}", start.cases, start.driver, start.scratch));
    }
    let mut results = Results::new(cases);
    let failed = interrupt.or(each(scratch.harness(), cases, jobs, &mut results, session)).await;
    failed?;
    summarise(&results, scratch, session)?;
    Ok(if results.total().failed == 0 { Answer::Yes } else { Answer::No })
}

/// Runs the cases, so many at once, and takes in how each ended.
async fn each(
    harness: Arc<dyn Harness>,
    cases: &[&'static Case],
    jobs: u16,
    results: &mut Results,
    session: &mut Session,
) -> Result<(), Failure> {
    let meter = Meter::cases(&session.global, cases.len());
    let checks = cases.iter().map(|&case| {
        let harness = harness.clone();
        async move { (case, check(case, harness).await) }
    });
    let mut ended = futures_util::stream::iter(checks).buffer_unordered(jobs.into());
    while let Some((case, outcome)) = ended.next().await {
        meter.add(1);
        meter.suspend(|| one(case, &outcome, session))?;
        results.add(case, outcome);
    }
    Ok(())
}

fn one(case: &'static Case, outcome: &Outcome, session: &mut Session) -> Result<(), Failure> {
    if session.output.json() {
        let (outcome, reason) = (outcome.as_str(), outcome.reason());
        return session.output.object(&Ended {
            event: "case",
            case: case.name,
            area: area(case),
            outcome,
            reason,
        });
    }
    if let Outcome::Fail(reason) = outcome {
        tell(session, &format!("failed: {}: {reason}", case.name));
    }
    Ok(())
}

fn summarise(results: &Results, scratch: &Scratch, session: &mut Session) -> Result<(), Failure> {
    let summary = results.summary(scratch.storage(), scratch.linked(), scratch.path());
    if session.output.json() {
        session.output.object(&summary)
    } else {
        session.output.line(results.page(&summary))
    }
}

/// A panic of a case is the case's answer, with its message; the lines that a program prints when it
/// panics would stand between the answers.
fn silence_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // The cases run on the threads of the runtime, and the command on the first.
        if std::thread::current().name() == Some("main") {
            before(panic);
        }
    }));
}

/// Tells the user something that is no part of the answer.
fn tell(session: &Session, text: &str) {
    if !session.global.quiet && !session.output.json() {
        // With standard error gone there is nobody to tell.
        let _ = writeln!(std::io::stderr(), "storagedriver: {text}");
    }
}

/// Says what failed before that which ends the program.
fn report(session: &Session, failure: &Failure) {
    if let Some(text) = failure.report(session.output.json(), Paint::stderr()) {
        // With standard error gone there is nobody to tell.
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}

/// What is said in any case, in the form that the output has.
fn last_words(session: &Session, text: &str) -> String {
    if session.output.json() {
        error_line("interrupted", text, Vec::new())
    } else {
        format!("storagedriver: {text}")
    }
}

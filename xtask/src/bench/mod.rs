//! The same work by ours and by its peers, in one run: `cargo xtask bench`.

mod gateway;
mod measure;
mod programs;
mod results;
mod workloads;

use std::fs;

use serde_json::{Value, json};

use crate::project::{Outcome, Project};
use crate::servers::{self, Running};
use gateway::Gateway;
use measure::{Measured, measure};
use programs::Programs;
use results::{Results, Row};
use workloads::{Bed, Scale, Step, Workload};

/// Everything lies below this, as in a bucket that holds more than a registry.
const ROOT: &str = "/bench";

/// Runs the workloads named, or all, writes `target/bench/results.json`, and prints the table.
pub(crate) fn run(project: &Project, arguments: &[&str]) -> Outcome {
    let (options, names): (Vec<&str>, Vec<&str>) = arguments.iter().partition(|word| word.starts_with('-'));
    let scale = match options.as_slice() {
        [] => Scale::Full,
        ["--quick"] => Scale::Quick,
        _ => {
            return Err(
                format!("bench takes --quick and names of workloads, not {}", options.join(" ")).into()
            );
        }
    };
    let workloads = workloads::all(scale);
    if let Some(unknown) = names.iter().find(|name| workloads.iter().all(|workload| workload.name != **name))
    {
        let known: Vec<&str> = workloads.iter().map(|workload| workload.name).collect();
        return Err(format!("no workload `{unknown}`; there are {}", known.join(", ")).into());
    }
    let place = project.target.join("bench");
    fs::create_dir_all(&place)?;
    let programs = Programs::build(project, &place)?;
    let chosen: Vec<&Workload> =
        workloads.iter().filter(|workload| names.is_empty() || names.contains(&workload.name)).collect();
    let mut results = Results::default();
    for bed in Bed::ALL {
        let mut rows = chosen.iter().filter(|workload| workload.bed == bed).peekable();
        if rows.peek().is_none() {
            continue;
        }
        let running = if bed == Bed::S3 { Some(servers::CEPH.start(project)?) } else { None };
        let mut bench = Bench {
            gateway: running.as_ref().map(Gateway::of).transpose()?,
            storage: running.as_ref().map(storage).unwrap_or_default(),
            programs: &programs,
            scale,
            scratch: 0,
        };
        for workload in rows {
            bench.run(workload, &mut results)?;
        }
    }
    let written = place.join("results.json");
    fs::write(&written, format!("{:#}\n", results.json()))?;
    println!("\n{}\n{}", results.table(), project.relative(&written));
    match results.failures() {
        0 => Ok(()),
        failures => Err(format!("{failures} runs failed").into()),
    }
}

/// The storage on a server that every subject works on.
fn storage(running: &Running) -> Value {
    let mut storage = running.storage.clone();
    if let Some(parameters) = storage.get_mut("parameters").and_then(Value::as_object_mut) {
        parameters.insert("rootdirectory".to_owned(), ROOT.into());
    }
    storage
}

/// A server and the programs to run on it.
struct Bench<'a> {
    /// Where requests are counted, if it is a server's.
    gateway: Option<Gateway>,
    storage: Value,
    programs: &'a Programs,
    scale: Scale,
    /// How many scratch directories were given away.
    scratch: u32,
}

impl Bench<'_> {
    /// All subjects at one workload. The order turns with each round, so that none always comes
    /// after the same one.
    fn run(&mut self, workload: &Workload, results: &mut Results) -> Outcome {
        eprintln!("\n{}: {}", workload.name, workload.about);
        let shared = self.directory(workload.name);
        if let Some(step) = workload.once() {
            self.step("ours", &step, &shared)?;
        }
        let subjects: Vec<&'static str> =
            workload.subjects().filter(|subject| self.programs.has(subject)).collect();
        for round in 0..workload.rounds {
            let turned = subjects.iter().cycle().skip(round % subjects.len().max(1)).take(subjects.len());
            for &subject in turned {
                // What one subject wrote must not be there when the next one writes.
                let place = if workload.is_shared() { shared.clone() } else { self.directory(workload.name) };
                let row = match self.round(workload, subject, &place) {
                    Ok(measured) => Row::Measured(measured),
                    Err(error) => {
                        eprintln!("  {subject} failed: {error}");
                        Row::Failed
                    }
                };
                results.add(workload, subject, row);
            }
        }
        if let Some(step) = workload.last() {
            self.step("ours", &step, &shared)?;
        }
        self.reclaim(workload)
    }

    fn round(&self, workload: &Workload, subject: &str, place: &str) -> Outcome<Measured> {
        if let Some(step) = workload.before() {
            self.step("ours", &step, place)?;
        }
        let measured = self.step(subject, &workload.step, place)?;
        eprintln!(
            "  {subject:13} {:10.3} s {:8} requests {:6} MiB",
            measured.nanoseconds as f64 / 1e9,
            measured.requests,
            measured.peak_rss >> 20
        );
        if let Some(step) = workload.after() {
            self.step("ours", &step, place)?;
        }
        self.reclaim(workload)?;
        Ok(measured)
    }

    fn step(&self, subject: &str, step: &Step, place: &str) -> Outcome<Measured> {
        let mut command = self.programs.command(subject)?;
        command
            .args(step.arguments(place))
            .env("STORAGEDRIVER_BENCH_STORAGE", self.storage(subject).to_string());
        measure(&mut command, self.gateway.as_ref())
    }

    /// What the subject's program opens.
    fn storage(&self, subject: &str) -> Value {
        if self.gateway.is_some() {
            return self.storage.clone();
        }
        let (size, entries) = (workloads::streamed(self.scale), workloads::entries(self.scale));
        let mut parameters = json!({ "size": size.to_string(), "entries": entries.to_string() });
        if subject != "ours" {
            return json!({ "driver": "null", "parameters": parameters });
        }
        if let Some(parameters) = parameters.as_object_mut() {
            parameters.insert("path".to_owned(), self.programs.null.display().to_string().into());
        }
        json!({ "driver": "external", "parameters": parameters })
    }

    fn reclaim(&self, workload: &Workload) -> Outcome {
        self.gateway.as_ref().map_or(Ok(()), |gateway| gateway.reclaim(workload.is_large()))
    }

    fn directory(&mut self, name: &str) -> String {
        self.scratch += 1;
        format!("/{name}-{}", self.scratch)
    }
}

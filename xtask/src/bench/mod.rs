//! The same work by ours and by its peers, in one run: `cargo xtask bench`.

mod bed;
mod chart;
mod gateway;
mod goals;
mod ground;
mod measure;
mod options;
mod page;
mod places;
mod programs;
mod results;
mod table;
mod workloads;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::project::{Outcome, Project};
use crate::servers;
use bed::Bed;
use ground::Ground;
use measure::{Measured, measure};
use options::Options;
use places::Place;
use programs::Programs;
use results::{Results, Run};
use workloads::{Scale, Step, Workload};

/// What is written below the build directory.
const RESULTS: &str = "results.json";
const CHART: &str = "chart.svg";

/// When a quick run begins nothing more: whatever is under way then, three minutes have to be enough.
const QUICK: Duration = Duration::from_secs(150);

/// Runs what is asked for, or everything, writes the results and a chart of them, and prints the tables.
pub(crate) fn run(project: &Project, arguments: &[&str]) -> Outcome {
    let options = Options::parse(arguments)?;
    let site = project.target.join("bench");
    if options.is_for_docs {
        return page::update(project, &site.join(RESULTS));
    }
    let places = places::find(project)?;
    let beds = beds(&places);
    let all = beds.iter().flat_map(|bed| workloads::of(*bed, options.scale));
    let names: Vec<&str> = all.map(|workload| workload.name).collect();
    options.check(&beds, &names)?;
    fs::create_dir_all(&site)?;
    let programs = Programs::build(project, &site)?;
    let mut results = Results::default();
    let mut left_out = 0;
    let started = Instant::now();
    let beds: Vec<Bed> = beds.into_iter().filter(|bed| options.takes_bed(*bed)).collect();
    for (index, &bed) in beds.iter().enumerate() {
        let workloads = workloads::of(bed, options.scale);
        let is_asked_for = |workload: &Workload| options.takes_workload(workload.name);
        let workloads: Vec<Workload> = workloads.into_iter().filter(is_asked_for).collect();
        if workloads.is_empty() || is_left_out(bed, &options) {
            continue;
        }
        // Each has its share of what is left.
        let share = QUICK.saturating_sub(started.elapsed()) / u32::try_from(beds.len() - index)?;
        let until = started.elapsed() + share;
        let ground = Ground::prepare(project, bed, &places, &programs, options.scale)?;
        let mut bench = Bench { ground, programs: &programs, options: &options, scratch: 0 };
        for workload in &workloads {
            if options.scale == Scale::Quick && started.elapsed() > until {
                left_out += 1;
            } else {
                bench.run(workload, &mut results)?;
            }
        }
        // What comes after may fail.
        write(&site, &results)?;
    }
    println!("\n{}\n{}", table::all(&results), goals::table(&results));
    for file in [RESULTS, CHART] {
        println!("{}", project.relative(&site.join(file)));
    }
    if left_out > 0 {
        println!(
            "{left_out} workloads are left out: this machine is too slow, or too busy, for all in three minutes"
        );
    }
    match results.failures() {
        0 => Ok(()),
        failures => Err(format!("{failures} runs failed").into()),
    }
}

/// All that can be worked on here, the quickest first.
fn beds(places: &[Place]) -> Vec<Bed> {
    let files = |is_durable| {
        places.iter().map(move |place| Bed::Files { file_system: place.file_system, is_durable })
    };
    let mut beds = vec![Bed::InMemory];
    beds.extend(files(true).chain(files(false)));
    beds.extend([Bed::Ipc, Bed::S3]);
    beds
}

/// Whether a bed takes a server that is not here, and that nobody asked for by its name: installing one would be
/// a surprise.
fn is_left_out(bed: Bed, options: &Options) -> bool {
    let is_missing = bed == Bed::S3 && !servers::ceph::is_installed() && !options.names_bed(bed);
    if is_missing {
        eprintln!("\nthere is no Ceph here: s3 is left out; `cargo xtask bench --driver s3` installs it");
    }
    is_missing
}

fn write(site: &Path, results: &Results) -> Outcome {
    fs::write(site.join(RESULTS), format!("{:#}\n", results.json()))?;
    Ok(fs::write(site.join(CHART), chart::svg(results))?)
}

/// A bed and the programs to run on it.
struct Bench<'a> {
    ground: Ground<'a>,
    programs: &'a Programs,
    options: &'a Options,
    /// How many scratch directories were given away.
    scratch: u32,
}

impl Bench<'_> {
    /// All subjects at one workload. The order turns with each round, so that none always comes
    /// after the same one.
    fn run(&mut self, workload: &Workload, results: &mut Results) -> Outcome {
        eprintln!("\n{} {}: {}", workload.bed.driver(), workload.name, workload.about);
        if !self.ground.has_room(workload)? {
            eprintln!("  left out: the disk has not room enough");
            return Ok(());
        }
        let shared = self.directory(workload.name);
        if let Some(step) = workload.once() {
            self.prepare(&step, &shared)?;
        }
        let is_here = |subject: &&str| self.programs.has(subject) && self.options.takes_subject(subject);
        let subjects: Vec<&'static str> = workload.subjects().filter(is_here).collect();
        for round in 0..workload.rounds {
            let turned = subjects.iter().cycle().skip(round % subjects.len().max(1)).take(subjects.len());
            for &subject in turned {
                // What one subject wrote must not be there when the next one writes.
                let place = if workload.is_shared() { shared.clone() } else { self.directory(workload.name) };
                let run = match self.round(workload, subject, &place) {
                    Ok(measured) => Run::Measured(measured),
                    Err(error) => {
                        eprintln!("  {subject} failed: {error}");
                        Run::Failed
                    }
                };
                results.add(workload, subject, run);
            }
        }
        if let Some(step) = workload.last() {
            self.prepare(&step, &shared)?;
        }
        self.ground.clear(&shared)?;
        self.ground.reclaim(workload)
    }

    fn round(&self, workload: &Workload, subject: &str, place: &str) -> Outcome<Measured> {
        if let Some(step) = workload.before() {
            self.prepare(&step, place)?;
        }
        self.ground.settle()?;
        let measured = self.steps(subject, &workload.steps(), place)?;
        eprintln!(
            "  {subject:13} {:10.3} s {:10} times {:8} requests {:6} MiB",
            measured.nanoseconds as f64 / 1e9,
            measured.operations,
            measured.requests,
            measured.peak_rss >> 20
        );
        if let Some(step) = workload.after() {
            self.prepare(&step, place)?;
        }
        if !workload.is_shared() {
            self.ground.clear(place)?;
        }
        self.ground.reclaim(workload)?;
        Ok(measured)
    }

    /// Does what is not measured.
    fn prepare(&self, step: &Step, place: &str) -> Outcome {
        let Some((subject, storage)) = self.ground.preparer() else { return Ok(()) };
        let mut command = self.programs.command(subject)?;
        command.arg(step.in_place(place).to_string());
        command.env("STORAGEDRIVER_BENCH_STORAGE", storage.to_string());
        measure(&mut command, None).map(drop)
    }

    fn steps(&self, subject: &str, steps: &[Step], place: &str) -> Outcome<Measured> {
        let mut command = self.programs.command(subject)?;
        command.args(steps.iter().map(|step| step.in_place(place).to_string()));
        command.env("STORAGEDRIVER_BENCH_STORAGE", self.ground.storage(subject).to_string());
        measure(&mut command, self.ground.gateway())
    }

    fn directory(&mut self, name: &str) -> String {
        self.scratch += 1;
        format!("/{name}-{}", self.scratch)
    }
}

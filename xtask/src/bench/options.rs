//! What the command line asks for.

use super::bed::Bed;
use super::workloads::Scale;
use crate::project::Outcome;

/// What to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) scale: Scale,
    /// Nothing is measured: what the last run measured goes into the documentation.
    pub(crate) is_for_docs: bool,
    /// Names of workloads; none is all.
    workloads: Vec<String>,
    /// Of `--driver`; none is all.
    drivers: Vec<String>,
    /// Of `--subject`; none is all.
    subjects: Vec<String>,
}

impl Options {
    /// # Errors
    /// There is an option that is not one, or one without its value.
    pub(crate) fn parse(arguments: &[&str]) -> Outcome<Self> {
        let mut options = Options {
            scale: Scale::Full,
            is_for_docs: false,
            workloads: Vec::new(),
            drivers: Vec::new(),
            subjects: Vec::new(),
        };
        let mut words = arguments.iter();
        while let Some(&word) = words.next() {
            let mut value = || words.next().map(|value| (*value).to_owned());
            match word {
                "--quick" => options.scale = Scale::Quick,
                "--docs" => options.is_for_docs = true,
                "--driver" => options.drivers.push(value().ok_or("--driver takes a name")?),
                "--subject" => options.subjects.push(value().ok_or("--subject takes a name")?),
                _ if word.starts_with('-') => {
                    return Err(format!(
                        "bench takes --docs, --quick, --driver NAME, --subject NAME, not {word}"
                    )
                    .into());
                }
                _ => options.workloads.push(word.to_owned()),
            }
        }
        Ok(options)
    }

    /// Whether a bed is asked for.
    pub(crate) fn takes_bed(&self, bed: Bed) -> bool {
        self.drivers.is_empty() || self.drivers.iter().any(|name| bed.is_called(name))
    }

    /// Whether a bed is asked for by its name.
    pub(crate) fn names_bed(&self, bed: Bed) -> bool {
        !self.drivers.is_empty() && self.takes_bed(bed)
    }

    pub(crate) fn takes_workload(&self, workload: &str) -> bool {
        self.workloads.is_empty() || self.workloads.iter().any(|name| name == workload)
    }

    pub(crate) fn takes_subject(&self, subject: &str) -> bool {
        self.subjects.is_empty() || self.subjects.iter().any(|name| name == subject)
    }

    /// Whether every name is one of something.
    ///
    /// # Errors
    /// One is not.
    pub(crate) fn check(&self, beds: &[Bed], workloads: &[&'static str]) -> Outcome {
        let is_bed = |name: &&String| beds.iter().any(|bed| bed.is_called(name));
        if let Some(unknown) = self.drivers.iter().find(|name| !is_bed(name)) {
            let known: Vec<String> = beds.iter().map(|bed| bed.driver()).collect();
            return Err(
                format!("no driver `{unknown}` is measured here; there are {}", known.join(", ")).into()
            );
        }
        if let Some(unknown) = self.workloads.iter().find(|name| !workloads.contains(&name.as_str())) {
            return Err(format!("no workload `{unknown}`; there are {}", workloads.join(", ")).into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart() {
        let arguments = ["--quick", "get", "--driver", "inmemory", "stat", "--subject", "ours"];
        let options = Options::parse(&arguments).unwrap();
        assert_eq!(options.scale, Scale::Quick);
        assert!(options.names_bed(Bed::InMemory) && !options.takes_bed(Bed::S3));
        assert!(options.takes_workload("stat") && !options.takes_workload("put"));
        assert!(options.takes_subject("ours") && !options.takes_subject("go"));
    }

    #[test]
    fn nothing_asked_for_is_everything() {
        let options = Options::parse(&[]).unwrap();
        assert_eq!(options.scale, Scale::Full);
        assert!(options.takes_bed(Bed::Ipc) && !options.names_bed(Bed::Ipc));
        assert!(options.takes_workload("put") && options.takes_subject("go"));
    }

    #[test]
    fn what_there_is_not_is_refused() {
        assert!(
            Options::parse(&["--docs"]).unwrap().is_for_docs && !Options::parse(&[]).unwrap().is_for_docs
        );
        assert!(Options::parse(&["--slow"]).is_err());
        assert!(Options::parse(&["--driver"]).is_err());
        let check = |arguments: &[&str]| Options::parse(arguments).unwrap().check(&[Bed::S3], &["put"]);
        check(&["put", "--driver", "s3"]).unwrap();
        let error = check(&["get"]).unwrap_err().to_string();
        assert_eq!(error, "no workload `get`; there are put");
        let error = check(&["--driver", "gcs"]).unwrap_err().to_string();
        assert_eq!(error, "no driver `gcs` is measured here; there are s3");
    }
}

//! `check`: what a live storage lets us do, and what it can do.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

use serde::Serialize;
use storagedriver::{
    Error, Guarantee, Outcome, ReadOptions, RedirectRequest, Storage, StoragePath, WalkOptions, WriteMode,
};

type Result<T, E = Error> = std::result::Result<T, E>;

use super::Session;
use crate::arguments::Check;
use crate::failure::{Answer, Failure};
use crate::open;
use crate::output::Record;
use crate::paint::Paint;

/// One line of the answer.
#[derive(Serialize)]
struct Line {
    /// `operation`, which every driver needs; `guarantee` of the contract; `feature` of the backend.
    kind: &'static str,
    check: String,
    outcome: &'static str,
    /// Whether the driver, its parameters or its permissions do not fit this backend.
    wrong: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
}

impl Record for Line {
    fn text(&self, f: &mut fmt::Formatter<'_>, paint: Paint) -> fmt::Result {
        let mark = if self.wrong { paint.wrong("!").to_string() } else { " ".to_owned() };
        let (kind, check, outcome) = (self.kind, &self.check, self.outcome);
        if self.detail.is_empty() {
            return write!(f, "{mark} {kind:<9}  {check:<28}  {outcome}");
        }
        write!(f, "{mark} {kind:<9}  {check:<28}  {outcome:<7}  {}", self.detail)
    }
}

impl Line {
    fn of(check: &str, outcome: Result<()>) -> Self {
        let wrong = outcome.is_err();
        let detail = outcome.err().map(|error| error.to_string()).unwrap_or_default();
        let outcome = if wrong { "no" } else { "yes" };
        Line { kind: "operation", check: check.to_owned(), outcome, wrong, detail }
    }

    fn feature(check: impl Into<String>, outcome: Outcome, wrong: bool, detail: String) -> Self {
        let outcome = match outcome {
            Outcome::Yes => "yes",
            Outcome::No => "no",
            _ => "unknown",
        };
        Line { kind: "feature", check: check.into(), outcome, wrong, detail }
    }

    fn guarantee(guarantee: Guarantee, is_kept: bool) -> Self {
        let outcome = if is_kept { "yes" } else { "no" };
        let detail = if is_kept { String::new() } else { format!("not kept: {}", guarantee.sentence()) };
        Line { kind: "guarantee", check: guarantee.as_str().to_owned(), outcome, wrong: false, detail }
    }
}

pub(crate) async fn run(arguments: Check, session: &mut Session) -> Result<Answer, Failure> {
    let mut interrupt = session.interrupt.clone();
    let storage = interrupt.or(open::with_all_middleware(&arguments.storage)).await?;
    // Without that nothing else means anything.
    interrupt.or(async { Ok(storage.stat("/").await?) }).await?;
    let scratch = scratch(&arguments.scratch)?;
    let checked = interrupt.or(checks(&storage, &scratch, session)).await;
    // After a signal, too: nothing is left behind.
    let swept = storage.delete(&scratch).await;
    let wrong = checked?;
    match swept {
        Ok(()) => {}
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error.into()),
    }
    Ok(if wrong == 0 { Answer::Yes } else { Answer::No })
}

/// A place below `parent` where nothing is.
fn scratch(parent: &str) -> Result<String, Failure> {
    let name = format!("storagedriver-check-{:016x}", RandomState::new().hash_one(parent));
    Ok(StoragePath::parse(parent)?.child(&name)?.to_string())
}

/// How many things are wrong.
async fn checks(storage: &Storage, scratch: &str, session: &mut Session) -> Result<usize, Failure> {
    let mut lines: Vec<Line> = operations(storage, scratch)
        .await
        .into_iter()
        .map(|(check, outcome)| Line::of(check, outcome))
        .collect();
    let redirect = storage.redirect_url(&RedirectRequest::get(), &format!("{scratch}/file")).await;
    lines.push(match redirect {
        Ok(Some(_)) => Line::feature("redirects of clients", Outcome::Yes, false, String::new()),
        Ok(None) => Line::feature("redirects of clients", Outcome::No, false, String::new()),
        Err(error) => Line::feature("redirects of clients", Outcome::No, true, error.to_string()),
    });
    for finding in storage.examine(&format!("{scratch}/features")).await? {
        let detail = match (finding.is_surprise, finding.outcome) {
            (true, Outcome::Yes) if finding.detail.is_empty() => "the driver does not use it".to_owned(),
            (true, Outcome::No) if finding.detail.is_empty() => "the driver relies on it".to_owned(),
            _ => finding.detail,
        };
        lines.push(Line::feature(finding.what, finding.outcome, finding.is_surprise, detail));
    }
    let guarantees = storage.guarantees();
    lines.extend(
        Guarantee::ALL.iter().map(|guarantee| Line::guarantee(*guarantee, guarantees.has(*guarantee))),
    );
    for line in &lines {
        session.output.record(line)?;
    }
    Ok(lines.iter().filter(|line| line.wrong).count())
}

/// Does what a registry does, once each.
async fn operations(storage: &Storage, scratch: &str) -> Vec<(&'static str, Result<()>)> {
    let (file, moved) = (format!("{scratch}/file"), format!("{scratch}/moved"));
    let mut done = vec![("put_content", storage.put_content(&file, "content").await)];
    let read = async {
        let content = storage.get_content(&file).await?;
        same(&file, &content, b"content")
    };
    done.push(("get_content", read.await));
    let read = async {
        let content = storage.reader(&file, ReadOptions::from_offset(3)).await?;
        same(&file, &content.bytes().await?, b"tent")
    };
    done.push(("reader from an offset", read.await));
    done.push(("stat", storage.stat(&file).await.map(drop)));
    done.push(("list", storage.list(scratch).await.map(drop)));
    let walk = async {
        let mut walk = storage.walk(scratch, WalkOptions::new()).await?;
        while walk.next().await?.is_some() {}
        Ok(())
    };
    done.push(("walk", walk.await));
    done.push(("rename", storage.rename(&file, &moved).await));
    done.push(("upload, closed and resumed", upload(storage, &format!("{scratch}/upload")).await));
    done.push(("uploads and abort_upload", abort(storage, &format!("{scratch}/aborted")).await));
    done.push(("delete", storage.delete(&moved).await));
    done
}

fn same(path: &str, found: &[u8], wanted: &[u8]) -> Result<()> {
    if found == wanted {
        return Ok(());
    }
    Err(Error::corrupted(&StoragePath::parse(path)?, "what was read is not what was written"))
}

async fn upload(storage: &Storage, path: &str) -> Result<()> {
    let mut writer = storage.writer(path, WriteMode::Create).await?;
    writer.write("first ").await?;
    writer.close().await?;
    let mut writer = storage.writer(path, WriteMode::Append).await?;
    writer.write("second").await?;
    writer.commit().await?;
    same(path, &storage.get_content(path).await?, b"first second")
}

async fn abort(storage: &Storage, path: &str) -> Result<()> {
    storage.writer(path, WriteMode::Create).await?.close().await?;
    let found = storage.uploads(path).await?;
    let Some(upload) = found.first() else {
        return Err(Error::corrupted(&StoragePath::parse(path)?, "an upload that was closed is not listed"));
    };
    storage.abort_upload(upload).await
}

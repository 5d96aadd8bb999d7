//! Which requests get which faults.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use hyper::http::request::Parts;

use super::Fault;
use super::request::Asked;

pub(super) type Classifier = Arc<dyn Fn(&Parts) -> &'static str + Send + Sync>;

/// What a proxy does to requests of its own accord, and how it names them.
///
/// Whether the n-th request of an operation gets a fault, and which, depends on the seed, the operation
/// and n only: the same requests get the same faults, in whatever order operations overlap. Only where
/// the budget ends is left to that order.
#[derive(Clone)]
pub struct Schedule {
    pub(super) classifier: Classifier,
    seed: u64,
    rate: f64,
    faults: Vec<Fault>,
    operations: Vec<String>,
    budget: u64,
}

impl Schedule {
    /// No faults but those that are [injected](super::FaultProxy::inject). An operation's name is its
    /// method.
    pub fn none() -> Self {
        Self::seeded(0).rate(0.0)
    }

    /// Gives one request in ten one of [`Fault::survivable`], without end.
    pub fn seeded(seed: u64) -> Self {
        Self {
            classifier: Arc::new(|parts| method_name(&parts.method)),
            seed,
            rate: 0.1,
            faults: Fault::survivable(),
            operations: Vec::new(),
            budget: u64::MAX,
        }
    }

    /// How to name the operation of a request, for instance
    /// [`s3::path_style`](super::s3::path_style).
    pub fn classified_by(mut self, name: impl Fn(&Parts) -> &'static str + Send + Sync + 'static) -> Self {
        self.classifier = Arc::new(name);
        self
    }

    /// The share of requests that get a fault: 0 for none, 1 for all.
    pub fn rate(mut self, rate: f64) -> Self {
        self.rate = rate;
        self
    }

    /// The faults to choose from, each as likely as the others among those that fit the request; one
    /// that is given twice is twice as likely.
    pub fn faults(mut self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.faults = faults.into_iter().collect();
        self
    }

    /// The operations that get faults; all, unless this is called.
    pub fn operations<I: IntoIterator<Item: Into<String>>>(mut self, operations: I) -> Self {
        self.operations = operations.into_iter().map(Into::into).collect();
        self
    }

    /// How many requests get a fault at most. Each request of a storm counts; injected faults do not.
    pub fn budget(mut self, faults: u64) -> Self {
        self.budget = faults;
        self
    }

    /// The fault of the n-th request of an operation, counted from 0.
    fn draw(&self, asked: &Asked, n: u64) -> Option<Fault> {
        let named = |name: &String| name == asked.operation;
        if !self.operations.is_empty() && !self.operations.iter().any(named) {
            return None;
        }
        let mut random = Random(self.seed ^ fnv(asked.operation) ^ n.wrapping_mul(0xd134_2543_de82_ef95));
        if random.share() >= self.rate {
            return None;
        }
        let fitting: Vec<&Fault> = self.faults.iter().filter(|fault| fault.fits(asked)).collect();
        let choice = random.next().checked_rem(fitting.len() as u64)?;
        fitting.get(usize::try_from(choice).ok()?).copied().cloned()
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schedule")
            .field("seed", &self.seed)
            .field("rate", &self.rate)
            .field("faults", &self.faults)
            .field("operations", &self.operations)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

/// A fault for the next request that it is made for, or for some of them.
///
/// ```
/// use storagedriver_testsuites::faults::{Fault, Rule};
///
/// // The second part of any upload is stored, but the client is told that it is not.
/// let rule = Rule::new(Fault::AppliedThenStatus { status: 500 }).on("UploadPart").skip(1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    fault: Fault,
    operations: Vec<String>,
    path: String,
    skip: u64,
    times: u64,
}

impl Rule {
    /// The fault, once, for the next request that it fits.
    pub fn new(fault: Fault) -> Self {
        Self { fault, operations: Vec::new(), path: String::new(), skip: 0, times: 1 }
    }

    /// Only for this operation. Called again, for that one too.
    pub fn on(mut self, operation: impl Into<String>) -> Self {
        self.operations.push(operation.into());
        self
    }

    /// Only for requests whose path, percent-encoded as it was sent, has this text in it.
    pub fn path_has(mut self, text: impl Into<String>) -> Self {
        self.path = text.into();
        self
    }

    /// Lets so many requests pass first.
    pub fn skip(mut self, requests: u64) -> Self {
        self.skip = requests;
        self
    }

    /// How many requests get the fault: 1, unless this is called.
    pub fn times(mut self, requests: u64) -> Self {
        self.times = requests;
        self
    }

    fn is_for(&self, asked: &Asked) -> bool {
        (self.operations.is_empty() || self.operations.iter().any(|name| name == asked.operation))
            && asked.path.contains(&self.path)
            && self.fault.fits(asked)
    }
}

/// The rules and the schedule, and how much of them is used up.
#[derive(Debug)]
pub(super) struct Plan {
    schedule: Schedule,
    rules: Vec<Rule>,
    seen: HashMap<&'static str, u64>,
    spent: u64,
    stopped: bool,
}

impl Plan {
    pub(super) fn new(schedule: Schedule) -> Self {
        Self { schedule, rules: Vec::new(), seen: HashMap::new(), spent: 0, stopped: false }
    }

    pub(super) fn add(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    pub(super) fn stop(&mut self) {
        self.rules.clear();
        self.stopped = true;
    }

    /// How many rules wait for a request.
    pub(super) fn waiting(&self) -> usize {
        self.rules.len()
    }

    pub(super) fn choose(&mut self, asked: &Asked) -> Option<Fault> {
        // Counted whatever comes of it, for the schedule goes by the count.
        let seen = self.seen.entry(asked.operation).or_default();
        let n = *seen;
        *seen += 1;
        self.by_rule(asked).or_else(|| self.by_schedule(asked, n))
    }

    fn by_rule(&mut self, asked: &Asked) -> Option<Fault> {
        let mut chosen = None;
        for rule in self.rules.iter_mut().filter(|rule| rule.is_for(asked)) {
            if rule.skip > 0 {
                rule.skip -= 1;
            } else if rule.times > 0 {
                rule.times -= 1;
                chosen = Some(rule.clone());
                break;
            }
        }
        self.rules.retain(|rule| rule.times > 0);
        let Rule { fault, operations, path, .. } = chosen?;
        self.brew(&fault, operations, path, u64::MAX);
        Some(fault)
    }

    fn by_schedule(&mut self, asked: &Asked, n: u64) -> Option<Fault> {
        let left = self.schedule.budget.saturating_sub(self.spent);
        if self.stopped || left == 0 {
            return None;
        }
        let fault = self.schedule.draw(asked, n)?;
        let operations = self.schedule.operations.clone();
        self.spent += 1 + self.brew(&fault, operations, String::new(), left - 1);
        Some(fault)
    }

    /// Sees to the rest of a storm; returns how many more requests it will hit.
    fn brew(&mut self, fault: &Fault, operations: Vec<String>, path: String, most: u64) -> u64 {
        let Fault::Storm { status, requests } = *fault else { return 0 };
        let times = u64::from(requests.saturating_sub(1)).min(most);
        if times > 0 {
            let fault = Fault::Refuse { status, retry_after: None };
            self.rules.insert(0, Rule { fault, operations, path, skip: 0, times });
        }
        times
    }
}

/// Sebastiano Vigna's SplitMix64: the same numbers on every machine and in every version.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// At least 0, less than 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// FNV-1a, for the standard hasher may differ between versions.
fn fnv(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The name of a method that needs no memory of its own.
fn method_name(method: &hyper::Method) -> &'static str {
    const NAMES: [&str; 7] = ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"];
    NAMES.into_iter().find(|name| method.as_str() == *name).unwrap_or("OTHER")
}

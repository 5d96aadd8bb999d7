//! A hook that writes down what happened, and makes calls fail.

use std::sync::Mutex;

use crate::sys::{Call, Errno, Event, Hook};

/// What happened, in order.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Did(Event),
    /// An operation answered: what these paths hold has to survive from now on.
    Answered(Vec<String>),
}

/// Which calls fail, counted from 0.
#[derive(Debug, Clone, Copy)]
pub(super) enum Failing {
    Nothing,
    /// This one, with this error.
    Once(usize, Errno),
    /// This one and all after it: the process is dead.
    From(usize),
    /// As if each directory were a file system of its own; and the process is dead from this call on.
    Spanning(usize),
}

#[derive(Debug)]
pub(super) struct Recorder {
    steps: Mutex<Vec<Step>>,
    calls: Mutex<Vec<Call>>,
    failing: Failing,
}

impl Recorder {
    pub(super) fn new(failing: Failing) -> Self {
        Recorder { steps: Mutex::default(), calls: Mutex::default(), failing }
    }

    pub(super) fn answered(&self, paths: &[&str]) {
        let paths = paths.iter().map(|&path| path.to_owned()).collect();
        self.steps.lock().unwrap().push(Step::Answered(paths));
    }

    pub(super) fn steps(&self) -> Vec<Step> {
        self.steps.lock().unwrap().clone()
    }

    /// The calls so far, those that failed included.
    pub(super) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }
}

impl Hook for Recorder {
    fn before(&self, call: Call) -> Result<(), Errno> {
        let mut calls = self.calls.lock().unwrap();
        let number = calls.len();
        calls.push(call);
        match self.failing {
            Failing::Once(at, errno) if number == at => Err(errno),
            Failing::From(at) | Failing::Spanning(at) if number >= at => Err(Errno::OWNERDEAD),
            Failing::Spanning(_) if call == Call::Move => Err(Errno::XDEV),
            _ => Ok(()),
        }
    }

    fn after(&self, event: Event) {
        self.steps.lock().unwrap().push(Step::Did(event));
    }
}

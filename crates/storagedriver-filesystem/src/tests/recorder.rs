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
}

#[derive(Debug)]
pub(super) struct Recorder {
    steps: Mutex<Vec<Step>>,
    calls: Mutex<Vec<Call>>,
    failing: Mutex<Failing>,
}

impl Recorder {
    pub(super) fn new(failing: Failing) -> Self {
        Recorder { steps: Mutex::default(), calls: Mutex::default(), failing: Mutex::new(failing) }
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

    /// From now on, counted from here.
    pub(super) fn fail(&self, failing: Failing) {
        self.calls.lock().unwrap().clear();
        *self.failing.lock().unwrap() = failing;
    }
}

impl Hook for Recorder {
    fn before(&self, call: Call) -> Result<(), Errno> {
        let mut calls = self.calls.lock().unwrap();
        let number = calls.len();
        calls.push(call);
        match *self.failing.lock().unwrap() {
            Failing::Once(at, errno) if number == at => Err(errno),
            Failing::From(at) if number >= at => Err(Errno::OWNERDEAD),
            _ => Ok(()),
        }
    }

    fn after(&self, event: Event) {
        self.steps.lock().unwrap().push(Step::Did(event));
    }
}

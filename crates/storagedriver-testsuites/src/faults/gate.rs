//! Where stalls wait, and who lets them go on.

use tokio::sync::watch;

use super::Hold;

#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// How many wait now.
    held: usize,
    /// Rises with each release.
    released: u64,
}

#[derive(Debug)]
pub(super) struct Gate(watch::Sender<State>);

impl Gate {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(State::default()))
    }

    /// How many wait now.
    pub(super) fn held(&self) -> usize {
        self.0.borrow().held
    }

    /// Lets all go on that wait now.
    pub(super) fn release(&self) {
        self.0.send_modify(|state| state.released += 1);
    }

    /// Returns when so many wait.
    pub(super) async fn until_held(&self, least: usize) {
        // Fails only when the sender is gone, and that is `self`.
        let _ = self.0.subscribe().wait_for(|state| state.held >= least).await;
    }

    /// Waits. What is dropped while it waits is no longer counted.
    pub(super) async fn wait(&self, hold: Hold) {
        let mut states = self.0.subscribe();
        let before = states.borrow().released;
        let _leaves = Leaves(&self.0);
        self.0.send_modify(|state| state.held += 1);
        let released = states.wait_for(|state| state.released != before);
        match hold {
            Hold::UntilReleased => drop(released.await),
            Hold::For(time) => drop(tokio::time::timeout(time, released).await),
        }
    }
}

struct Leaves<'a>(&'a watch::Sender<State>);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|state| state.held -= 1);
    }
}

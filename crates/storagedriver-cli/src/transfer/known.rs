//! A memory of bounded size, and turns at what has a name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change is complete before anything can panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Remembers what was found out about names, and forgets the oldest half when it is full: what is
/// forgotten is found out again.
#[derive(Debug)]
pub(crate) struct Known<V> {
    halves: Mutex<[HashMap<Arc<str>, V>; 2]>,
    half: usize,
}

impl<V: Clone> Known<V> {
    /// Remembers `limit` names or one more; 0: nothing.
    pub(crate) fn new(limit: usize) -> Self {
        Known { halves: Mutex::new([HashMap::new(), HashMap::new()]), half: limit.div_ceil(2) }
    }

    pub(crate) fn get(&self, name: &str) -> Option<V> {
        let [new, old] = &*lock(&self.halves);
        new.get(name).or_else(|| old.get(name)).cloned()
    }

    pub(crate) fn insert(&self, name: &str, value: V) {
        if self.half == 0 {
            return;
        }
        let [new, old] = &mut *lock(&self.halves);
        if new.len() >= self.half {
            *old = std::mem::take(new);
        }
        new.insert(Arc::from(name), value);
    }
}

/// One at a time for each name.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    names: Mutex<HashMap<Arc<str>, Arc<tokio::sync::Mutex<()>>>>,
}

/// Somebody's turn; over when dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    name: Arc<str>,
    held: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits until nobody else has a turn at the name.
    pub(crate) async fn take(&self, name: &str) -> Turn<'_> {
        let name: Arc<str> = Arc::from(name);
        let mutex = lock(&self.names).entry(name.clone()).or_default().clone();
        // Made before the wait, so that a future dropped while waiting leaves no name behind.
        let mut turn = Turn { turns: self, name, held: None };
        turn.held = Some(mutex.lock_owned().await);
        turn
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.held = None;
        let mut names = lock(&self.turns.names);
        if names.get(&self.name).is_some_and(|mutex| Arc::strong_count(mutex) == 1) {
            names.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_the_newest_stays() {
        let known = Known::new(8);
        for number in 0..100 {
            known.insert(&number.to_string(), number);
            assert_eq!(known.get(&number.to_string()), Some(number));
            assert!(lock(&known.halves).iter().map(HashMap::len).sum::<usize>() <= 8);
        }
        assert_eq!(known.get("97"), Some(97));
        assert_eq!(known.get("3"), None);
    }

    #[tokio::test]
    async fn turns_at_one_name_are_taken_one_by_one() {
        let turns = Arc::new(Turns::default());
        let first = turns.take("a").await;
        let other = turns.take("b").await;
        let waiting = tokio::spawn({
            let turns = turns.clone();
            async move {
                let _turn = turns.take("a").await;
            }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop((first, other));
        waiting.await.unwrap();
        assert!(lock(&turns.names).is_empty());
    }

    #[tokio::test]
    async fn a_wait_that_is_given_up_leaves_nothing() {
        let turns = Arc::new(Turns::default());
        let first = turns.take("a").await;
        let waiting = tokio::spawn({
            let turns = turns.clone();
            async move {
                let _turn = turns.take("a").await;
            }
        });
        tokio::task::yield_now().await;
        waiting.abort();
        assert!(waiting.await.is_err());
        drop(first);
        assert!(lock(&turns.names).is_empty());
    }
}

//! A limit on bytes per second.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A token bucket over bytes: it fills at a steady rate up to one second's worth.
#[derive(Debug)]
pub struct Bandwidth {
    rate: u64,
    /// When all that was taken so far is paid for.
    paid: Mutex<Option<Instant>>,
}

impl Bandwidth {
    /// At most `rate` bytes per second; 0 counts as 1.
    pub fn new(rate: u64) -> Self {
        Bandwidth { rate: rate.max(1), paid: Mutex::new(None) }
    }

    /// Waits until `bytes` more may pass. What is larger than a second's worth passes at once when
    /// the bucket is full, and the next waits for it.
    pub async fn take(&self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let nanoseconds = u128::from(bytes) * 1_000_000_000 / u128::from(self.rate);
        let cost = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
        let now = Instant::now();
        let begin = {
            let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
            let full = now.checked_sub(Duration::from_secs(1)).unwrap_or(now);
            let begin = paid.unwrap_or(full).max(full);
            *paid = begin.checked_add(cost);
            begin
        };
        if begin > now {
            sleep_until(begin).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_second_is_free_and_the_rest_is_paced() {
        tokio::time::advance(Duration::from_secs(10)).await;
        let bandwidth = Bandwidth::new(1000);
        let start = Instant::now();
        for _ in 0..11 {
            bandwidth.take(100).await;
        }
        // The clock is paused: it moves only where the bucket makes us wait.
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 0..20 {
            bandwidth.take(100).await;
        }
        assert_eq!(start.elapsed(), Duration::from_secs(2));
        bandwidth.take(5000).await;
        bandwidth.take(1).await;
        assert!(start.elapsed() >= Duration::from_secs(7));
    }
}

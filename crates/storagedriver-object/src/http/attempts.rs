//! When a request is sent again.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use storagedriver::observe::{RETRIES_TOTAL, THROTTLED_SECONDS_TOTAL};

use super::transport::Broken;
use super::{HttpClient, Refusal, Request, Service};
use crate::StoreError;

/// Why one attempt failed.
#[derive(Debug)]
pub(super) enum Failed {
    /// The store refused.
    Refused(Refusal),
    /// There was no whole reply.
    Broken(Broken),
    /// It could not be sent at all; no other attempt would do better.
    Unsent(StoreError),
}

/// The attempts of one request.
#[derive(Debug)]
pub(super) struct Attempts {
    made: u32,
    renewed: bool,
    /// When the one began that runs.
    began: Instant,
}

impl Attempts {
    pub(super) fn new() -> Self {
        Attempts { made: 0, renewed: false, began: Instant::now() }
    }

    /// Waits until the request can be sent again.
    ///
    /// # Errors
    /// It cannot: what has failed, as the engine is to see it.
    pub(super) async fn again(
        &mut self,
        client: &HttpClient,
        service: &dyn Service,
        request: &Request,
        failed: Failed,
    ) -> Result<(), StoreError> {
        self.made = self.made.saturating_add(1);
        let options = client.options();
        let is_last = self.made >= options.attempts;
        let mut wait = self.wait(options.first_wait, options.max_wait);
        let mut throttled = false;
        let reason = match failed {
            Failed::Unsent(error) => return Err(error),
            Failed::Broken(broken) if is_last || !broken.is_transient => {
                return Err(broken.into_error(request, self.made));
            }
            Failed::Broken(broken) => broken.reason().to_owned(),
            Failed::Refused(refusal) if !service.is_transient(&refusal) => {
                let may_renew = !is_last && !self.renewed && service.is_expired(&refusal);
                if !may_renew || !client.renew(service, self.began).await {
                    return Err(service.error(request, refusal));
                }
                self.renewed = true;
                refusal.describe()
            }
            Failed::Refused(refusal) => {
                let asked = refusal.retry_after.unwrap_or_default();
                if is_last || asked > options.max_wait {
                    return Err(service.error(request, refusal));
                }
                throttled = matches!(refusal.status.as_u16(), 429 | 503);
                wait = wait.max(asked);
                refusal.describe()
            }
        };
        tracing::debug!(
            request = request.what,
            place = request.place(),
            attempt = self.made,
            ?wait,
            reason,
            "sent again"
        );
        metrics::counter!(RETRIES_TOTAL, "driver" => client.driver()).increment(1);
        if throttled {
            let seconds = client.throttled(wait);
            metrics::counter!(THROTTLED_SECONDS_TOTAL, "driver" => client.driver()).increment(seconds);
        }
        tokio::time::sleep(wait).await;
        self.began = Instant::now();
        Ok(())
    }

    /// Drawn between half of it and all of the wait that the number of attempts calls for.
    fn wait(&self, first: Duration, longest: Duration) -> Duration {
        let doublings = self.made.saturating_sub(1).min(20);
        let most = first.saturating_mul(1 << doublings).min(longest);
        let random = RandomState::new().hash_one(self.made) % 1024;
        most / 2 + most.mul_f64(random as f64 / 2048.0)
    }
}

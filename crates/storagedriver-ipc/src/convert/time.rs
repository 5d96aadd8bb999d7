//! Times and durations.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const NANOS: i64 = 1_000_000_000;

/// A time as a message, to the nanosecond, also before 1970.
pub fn time_message(time: SystemTime) -> prost_types::Timestamp {
    let (seconds, nanos) = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => (seconds(after), i64::from(after.subsec_nanos())),
        Err(before) => {
            let before = before.duration();
            match i64::from(before.subsec_nanos()) {
                0 => (-seconds(before), 0),
                nanos => (-seconds(before) - 1, NANOS - nanos),
            }
        }
    };
    prost_types::Timestamp { seconds, nanos: i32::try_from(nanos).unwrap_or_default() }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// The time of a message; `None` if it is out of the range of the system's clock.
pub fn time(message: &prost_types::Timestamp) -> Option<SystemTime> {
    let nanos = Duration::from_nanos(u64::try_from(message.nanos).ok()?);
    let seconds = Duration::from_secs(message.seconds.unsigned_abs());
    let whole =
        if message.seconds < 0 { UNIX_EPOCH.checked_sub(seconds) } else { UNIX_EPOCH.checked_add(seconds) };
    whole?.checked_add(nanos)
}

/// A duration as a message.
pub fn duration_message(duration: Duration) -> prost_types::Duration {
    let nanos = i32::try_from(duration.subsec_nanos()).unwrap_or_default();
    prost_types::Duration { seconds: seconds(duration), nanos }
}

/// The duration of a message; a negative one is none at all.
pub fn duration(message: &prost_types::Duration) -> Duration {
    let whole = Duration::from_secs(u64::try_from(message.seconds).unwrap_or_default());
    whole.saturating_add(Duration::from_nanos(u64::try_from(message.nanos).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_on_both_sides_of_1970() {
        for offset in [0, 1, 999_999_999, 1_000_000_000, 1_500_000_000, 1_763_715_600_123_456_789] {
            let offset = Duration::from_nanos(offset);
            for at in [UNIX_EPOCH + offset, UNIX_EPOCH - offset] {
                let message = time_message(at);
                assert!((0..1_000_000_000).contains(&message.nanos), "{message:?}");
                assert_eq!(time(&message), Some(at));
            }
        }
        assert_eq!(time(&prost_types::Timestamp { seconds: 0, nanos: -1 }), None);
    }

    #[test]
    fn durations_survive() {
        let long = Duration::new(1200, 5);
        assert_eq!(duration(&duration_message(long)), long);
        assert_eq!(duration(&prost_types::Duration { seconds: -1, nanos: 0 }), Duration::ZERO);
    }
}

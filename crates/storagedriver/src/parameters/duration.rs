//! Durations as text: `1h30m`, as Go writes them, and `7 days`.

use std::fmt;
use std::time::Duration;

const NANOS: [(&str, u64); 24] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", SECOND),
    ("sec", SECOND),
    ("secs", SECOND),
    ("second", SECOND),
    ("seconds", SECOND),
    ("m", 60 * SECOND),
    ("min", 60 * SECOND),
    ("mins", 60 * SECOND),
    ("minute", 60 * SECOND),
    ("minutes", 60 * SECOND),
    ("h", 3600 * SECOND),
    ("hour", 3600 * SECOND),
    ("hours", 3600 * SECOND),
    ("d", 86_400 * SECOND),
    ("day", 86_400 * SECOND),
    ("days", 86_400 * SECOND),
    ("w", 7 * 86_400 * SECOND),
    ("week", 7 * 86_400 * SECOND),
    ("weeks", 7 * 86_400 * SECOND),
];
const SECOND: u64 = 1_000_000_000;

/// Shows a duration so that [`parse`] and Go read it back: `1h30m`, `100ms`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown(pub(crate) Duration);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0.as_nanos();
        if left == 0 {
            return f.write_str("0s");
        }
        for (unit, nanos) in [
            ("h", 3600 * SECOND),
            ("m", 60 * SECOND),
            ("s", SECOND),
            ("ms", 1_000_000),
            ("us", 1_000),
            ("ns", 1),
        ] {
            let nanos = u128::from(nanos);
            if left >= nanos {
                write!(f, "{}{unit}", left / nanos)?;
                left %= nanos;
            }
        }
        Ok(())
    }
}

/// Reads a duration: numbers, each with a unit, one after another; `0` needs none.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    if text.starts_with('-') {
        return Err("is negative".to_owned());
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("has no unit".to_owned());
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut total = 0_u128;
    loop {
        let (part, left) = leading_part(rest).ok_or_else(|| "is not a duration".to_owned())?;
        total = total.checked_add(part).ok_or_else(too_long)?;
        rest = left;
        if rest.is_empty() {
            break;
        }
    }
    // As Go: durations are counted in nanoseconds, in 63 bits.
    u64::try_from(total)
        .ok()
        .filter(|total| *total <= i64::MAX as u64)
        .map(Duration::from_nanos)
        .ok_or_else(too_long)
}

fn too_long() -> String {
    "is longer than 292 years".to_owned()
}

/// One number with its unit, in nanoseconds, and what follows.
fn leading_part(text: &str) -> Option<(u128, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, rest) = text.split_at(end);
    let rest = rest.trim_start();
    let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(end);
    let nanos = u128::from(NANOS.iter().find(|(name, _)| *name == unit)?.1);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let digits = |text: &str| if text.is_empty() { Some(0_u128) } else { text.parse().ok() };
    // Digits beyond the nanosecond of a week change nothing; Go drops them too.
    let fraction = fraction.get(..fraction.len().min(18))?;
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let whole = digits(whole)?.checked_mul(nanos)?;
    let part = whole.checked_add(digits(fraction)?.checked_mul(nanos)? / scale)?;
    Some((part, rest.trim_start()))
}

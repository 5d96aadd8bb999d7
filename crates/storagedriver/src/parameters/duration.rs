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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_shown_reads_back(nanos in 0..i64::MAX as u64, shift in 0..63_u32) {
            let span = Duration::from_nanos(nanos >> shift);
            prop_assert_eq!(parse(&Shown(span).to_string()), Ok(span));
        }
    }

    #[test]
    fn go_durations_mean_what_they_mean_to_go() {
        for (text, nanos) in [
            ("0", 0),
            ("0s", 0),
            ("+5s", 5_000_000_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("1h15m30.918273645s", 4_530_918_273_645),
            ("39h9m14.425s", 140_954_425_000_000),
            ("1us", 1_000),
            ("1µs", 1_000),
            ("1μs", 1_000),
            // Go computes fractions as floats and rounds this up to 20m.
            ("0.3333333333333333333h", 1_200_000_000_000 - 1),
            ("9223372036854775807ns", i64::MAX as u64),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "s",
            ".s",
            "1",
            "3 parsecs",
            "1..5s",
            "1.2.3s",
            "1h2",
            "1h-2m",
            "-1s",
            "1 h x",
            "0x1s",
            "+-1s",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("9223372036854775808ns").is_err());
        assert!(parse(&format!("{}h", "9".repeat(60))).is_err());
    }
}

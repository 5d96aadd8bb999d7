//! How times, sizes and ages are written and read.

use std::fmt;
use std::time::{Duration, SystemTime};

use jiff::{Span, SpanRelativeTo, Timestamp};
use serde::{Serialize, Serializer};

/// A time in RFC 3339, UTC: in text to the second, in JSON as precise as the backend tells it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time(pub(crate) SystemTime);

impl Time {
    /// `None` for a time that RFC 3339 cannot write, past the year 9999.
    fn timestamp(self) -> Option<Timestamp> {
        Timestamp::try_from(self.0).ok()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.timestamp() {
            Some(timestamp) => write!(f, "{timestamp:.0}"),
            None => f.write_str("-"),
        }
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.timestamp().map(|timestamp| timestamp.to_string()).serialize(serializer)
    }
}

/// A number of bytes as people read it: `512 B`, `1.5 KiB`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HumanSize(pub(crate) u64);

impl fmt::Display for HumanSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        if self.0 < 1024 {
            return write!(f, "{} B", self.0);
        }
        let mut unit = "B";
        let mut scale = 1_u64;
        for larger in UNITS {
            let Some(next) = scale.checked_mul(1024).filter(|next| self.0 >= *next) else { break };
            (scale, unit) = (next, larger);
        }
        // Tenths are exact in integers, and round down: nothing shows larger than it is.
        let (whole, rest) = (self.0 / scale, self.0 % scale);
        write!(f, "{whole}.{} {unit}", u128::from(rest) * 10 / u128::from(scale))
    }
}

/// An age such as `7d`, `36h`, `90 minutes` or `P1DT12H`; a day is 24 hours.
pub(crate) fn parse_age(text: &str) -> Result<Duration, String> {
    let refusal = || format!("{text:?} is not an age such as `7d`, `36h` or `90m`");
    let span: Span = text.parse().map_err(|_| refusal())?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| refusal())?;
    Duration::try_from(duration).map_err(|_| refusal())
}

/// A number of bytes: `1048576`, `10MiB`, `10 MiB`. Decimal units are refused, as in parameters:
/// Distribution reads `10MB` as 10, others as ten million.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let refusal = || format!("{text:?} is not a number of bytes such as `1048576` or `10MiB`");
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or_else(refusal)?;
    let number: u64 = number.parse().map_err(|_| refusal())?;
    let scale = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return Err(refusal()),
    };
    number.checked_mul(scale).ok_or_else(refusal)
}

/// How many levels of directories: 1 or more.
pub(crate) fn parse_levels(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(levels) if levels > 0 => Ok(levels),
        _ => Err(format!("{text:?} is not a number of levels, 1 or more")),
    }
}

/// A part of a whole: `0.05` or `5%`; above nothing, at most all.
pub(crate) fn parse_part(text: &str) -> Result<f64, String> {
    let (number, scale) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
    match number.trim().parse::<f64>().map(|number| number / scale) {
        Ok(part) if part > 0.0 && part <= 1.0 => Ok(part),
        _ => Err(format!("{text:?} is not a part such as `0.05` or `5%`, above 0 and at most 1")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_for_people() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (1024 * 1024 - 1, "1023.9 KiB"),
            (5 << 30, "5.0 GiB"),
            (u64::MAX, "15.9 EiB"),
        ] {
            assert_eq!(HumanSize(bytes).to_string(), text);
        }
    }

    #[test]
    fn times_before_1970_too() {
        let epoch = SystemTime::UNIX_EPOCH;
        assert_eq!(Time(epoch).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(Time(epoch - Duration::from_secs(1)).to_string(), "1969-12-31T23:59:59Z");
        let precise = Time(epoch + Duration::from_millis(1500));
        assert_eq!(precise.to_string(), "1970-01-01T00:00:01Z");
        assert_eq!(serde_json::to_string(&precise).unwrap(), "\"1970-01-01T00:00:01.5Z\"");
    }

    #[test]
    fn ages() {
        assert_eq!(parse_age("7d"), Ok(Duration::from_secs(7 * 86_400)));
        assert_eq!(parse_age("36h"), Ok(Duration::from_secs(36 * 3_600)));
        assert_eq!(parse_age("0s"), Ok(Duration::ZERO));
        assert_eq!(parse_age("1h 30m"), Ok(Duration::from_secs(5_400)));
        for bad in ["", "7", "d", "-1h", "1 month", "yesterday"] {
            assert!(parse_age(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn levels() {
        assert_eq!(parse_levels("1"), Ok(1));
        for bad in ["", "0", "-1", "1.5", "all"] {
            assert!(parse_levels(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn parts() {
        assert_eq!(parse_part("0.05"), Ok(0.05));
        assert_eq!(parse_part("5%"), Ok(0.05));
        assert_eq!(parse_part("1"), Ok(1.0));
        for bad in ["", "0", "-0.1", "1.1", "101%", "NaN", "inf", "%"] {
            assert!(parse_part(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn byte_counts() {
        assert_eq!(parse_size("1048576"), Ok(1 << 20));
        assert_eq!(parse_size("10MiB"), Ok(10 << 20));
        assert_eq!(parse_size("5 gib"), Ok(5 << 30));
        for bad in ["", "MiB", "-1", "1.5MiB", "10MB", "1 parsec", "99999999999999TiB", "１"] {
            assert!(parse_size(bad).is_err(), "{bad:?}");
        }
    }
}

//! Sizes in bytes as text: `10 MiB`.

use std::fmt;

/// The units that a size may carry, largest first.
const UNITS: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// Shows a size in the largest unit that divides it: `5 GiB`, `10485761`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size(pub(crate) u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.iter().find(|(_, factor)| self.0 >= *factor && self.0.is_multiple_of(*factor)) {
            Some((unit, factor)) => write!(f, "{} {unit}", self.0 / factor),
            None => self.0.fmt(f),
        }
    }
}

/// Reads `10485760`, `10 MiB`, `10MiB`, `10485760 B`. Decimal units are refused: Distribution reads
/// `10MB` as 10, others as ten million.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let unit = unit.trim();
    let known = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|(_, factor)| *factor);
    let factor = match known {
        Some(factor) => factor,
        None if unit.is_empty() || unit.eq_ignore_ascii_case("b") => 1,
        None => return Err("is not a size".to_owned()),
    };
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return Err("is not a size".to_owned());
    }
    let number: Option<u64> = digits.parse().ok();
    number.and_then(|number| number.checked_mul(factor)).ok_or_else(|| "is too large".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_shown_reads_back(number: u64, shift in 0..64_u32) {
            let number = number >> shift << (shift / 2);
            prop_assert_eq!(parse(&Size(number).to_string()), Ok(number));
        }
    }

    #[test]
    fn the_largest_unit_that_divides_is_shown() {
        let shown = [0, 1023, 1024, 1025, 10 << 20, 5 << 30, 1 << 40].map(|size| Size(size).to_string());
        assert_eq!(shown, ["0", "1023", "1 KiB", "1025", "10 MiB", "5 GiB", "1 TiB"]);
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "MiB", "10MB", "10 M", "-1", "1.5 GiB", "010", "10 MiB x", "0x10", "1e7"] {
            assert_eq!(parse(text), Err("is not a size".to_owned()), "{text}");
        }
        assert_eq!(parse("16777216 TiB"), Err("is too large".to_owned()));
    }
}

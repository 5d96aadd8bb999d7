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

//! How large the parts of an upload are.

use crate::Description;

/// So many parts are of the first size.
const FIRST: usize = 16;

/// Parts grow by multiples of this, in bytes.
const GRAIN: u64 = 256 << 10;

/// The size of the first parts: what was asked for, within what the store takes.
pub(crate) fn first_size(description: &Description, asked: u64) -> u64 {
    let most = description.max_part.min(description.max_put).max(1);
    asked.max(description.min_part).clamp(1, most)
}

/// The size of the part after `sent` parts, the first of which had `first` bytes.
///
/// Of one size where the store wants that. Elsewhere they double twelve times on the way to the
/// last number: with first parts of 5 MiB, 10,000 parts hold more than 5 TiB. After the first sixteen
/// they are an eighth larger, which a large upload saves more requests by than its session costs.
pub(crate) fn size_after(description: &Description, first: u64, sent: usize) -> u64 {
    if description.same_size_parts {
        return first;
    }
    // Sizes that were multiples of 256 KiB, as Google's have to be, stay so.
    let eighth = if sent < FIRST { 0 } else { first / 8 / GRAIN * GRAIN };
    let step = usize::try_from(description.max_parts / 12).unwrap_or(usize::MAX).max(1);
    let doublings = u32::try_from(sent / step).unwrap_or(u32::MAX).min(40);
    let most = description.max_part.min(description.max_put).max(first);
    first.saturating_add(eighth).saturating_mul(1 << doublings).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_parts_hold_five_tebibytes() {
        let description = Description::FULL;
        let first = first_size(&description, 0);
        let total: u64 = (0..10_000).map(|sent| size_after(&description, first, sent)).sum();
        assert_eq!(first, 5 << 20);
        assert!(total >= 5 << 40, "{total}");
        assert!((0..20_000).all(|sent| size_after(&description, first, sent) <= description.max_part));
    }

    #[test]
    fn a_gibibyte_takes_fewer_parts_than_it_has_first_sizes() {
        let (mut sent, mut left) = (0, 1_u64 << 30);
        while left > 0 {
            left = left.saturating_sub(size_after(&Description::FULL, 10 << 20, sent));
            sent += 1;
        }
        assert_eq!(sent, 93);
        assert!((0..20_000).all(|sent| size_after(&Description::FULL, 10 << 20, sent).is_multiple_of(GRAIN)));
    }

    #[test]
    fn parts_keep_one_size_where_the_store_wants_that() {
        let description = Description { same_size_parts: true, ..Description::FULL };
        assert!((0..10_000).all(|sent| size_after(&description, 7 << 20, sent) == 7 << 20));
    }
}

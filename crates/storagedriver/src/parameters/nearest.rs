//! The known name that a mistyped one was probably meant to be.

/// The name with the fewest edits from `given`, case apart, if they are few for its length.
pub(crate) fn nearest<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let given: Vec<char> = given.to_lowercase().chars().take(100).collect();
    names
        .map(|name| (distance(&given, &name.to_lowercase().chars().collect::<Vec<_>>()), name))
        .filter(|(edits, name)| *edits <= (name.chars().count() / 3).max(1))
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, name)| name)
}

/// How many characters to insert, delete or replace to make one of the other.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut above_left = i;
        let mut here = i + 1;
        let mut next = vec![here];
        for (b, above) in right.iter().zip(row.iter().skip(1)) {
            let replaced = above_left + usize::from(a != b);
            here = replaced.min(*above + 1).min(here + 1);
            above_left = *above;
            next.push(here);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_edits() {
        let distance =
            |a: &str, b: &str| distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        for (a, b, edits) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("flaw", "lawn", 2),
            ("a", "a", 0),
        ] {
            assert_eq!(distance(a, b), edits, "{a} {b}");
            assert_eq!(distance(b, a), edits, "{b} {a}");
        }
    }

    #[test]
    fn only_a_near_name_is_suggested() {
        let nearest = |given: &str| nearest(given, ["bucket", "chunksize", "region"].into_iter());
        assert_eq!(nearest("buckte"), Some("bucket"));
        assert_eq!(nearest("CHUNK_SIZE"), Some("chunksize"));
        assert_eq!(nearest("zone"), None);
        assert_eq!(nearest(""), None);
    }
}

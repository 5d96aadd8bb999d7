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

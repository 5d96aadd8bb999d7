//! Whether something grows while a program runs.

/// Says so, with the figures, if a series of samples has grown by more than `bound`: if even the least of its last quarter
/// is above all of its second quarter. The first quarter warms up; a single high or low sample decides nothing.
///
/// ```
/// use storagedriver_systemtests::growth;
///
/// assert_eq!(growth(&[9, 5, 4, 6, 5, 4, 6, 5], 0), None);
/// assert!(growth(&[1, 2, 3, 4, 5, 6, 7, 8], 1).is_some());
/// ```
pub fn growth(samples: &[u64], bound: u64) -> Option<String> {
    let quarter = samples.len() / 4;
    let before = samples.get(quarter..2 * quarter)?.iter().max()?;
    let after = samples.get(samples.len() - quarter..)?.iter().min()?;
    (*after > before.saturating_add(bound)).then(|| {
        format!(
            "at most {before} in the second quarter, at least {after} in the last: {bound} more are allowed"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rises_is_noticed_and_what_only_varies_is_not() {
        let rising: Vec<u64> = (0..100).collect();
        assert!(growth(&rising, 25).is_some());
        assert_eq!(growth(&rising, 26), None);
        let varying: Vec<u64> = (0..100).map(|sample| sample * 37 % 11).collect();
        assert_eq!(growth(&varying, 0), None);
        // A warm-up, and a leak of one a sample on top of what varies.
        let leaking: Vec<u64> = (0..100).map(|sample| sample + sample * 37 % 11).collect();
        assert!(growth(&leaking, 10).is_some());
        assert_eq!(growth(&[1, 2, 3], 0), None);
    }
}

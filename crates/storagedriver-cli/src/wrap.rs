//! Lines that fit a terminal.

/// `text` with its lines broken at spaces, so that none is longer than `width` characters if its
/// words allow that. What continues a line is as far from the margin as the line.
pub(crate) fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let words = line.trim_start();
        let (margin, _) = line.split_at(line.len() - words.len());
        let mut length = 0;
        for word in words.split(' ') {
            let more = word.chars().count();
            if length == 0 || length + 1 + more > width {
                if length > 0 {
                    out.push('\n');
                }
                out.push_str(margin);
                length = margin.len();
            } else {
                out.push(' ');
                length += 1;
            }
            out.push_str(word);
            length += more;
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_keep_their_margin() {
        assert_eq!(wrapped("one two three\n", 7), "one two\nthree\n");
        assert_eq!(wrapped("name\n    one two three\n\nend\n", 11), "name\n    one two\n    three\n\nend\n");
        assert_eq!(wrapped("a word-that-is-too-long b\n", 6), "a\nword-that-is-too-long\nb\n");
        let text = "as it\n  stands:  two  spaces\n";
        assert_eq!(wrapped(text, 100), text);
    }
}

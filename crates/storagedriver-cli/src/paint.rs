//! Colours, where a terminal shows them.

use std::fmt;
use std::io;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

/// Whether a stream takes colours: a terminal does, unless `NO_COLOR` is set, `CLICOLOR` is 0 or
/// `TERM` is `dumb` (that of a build server, which sets `CI`, may be); any other stream only if
/// `CLICOLOR_FORCE` is set. The help goes by the same rule.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Paint {
    colours: bool,
}

impl Paint {
    /// The colours of standard output.
    pub(crate) fn stdout() -> Self {
        Self::by(AutoStream::choice(&io::stdout()))
    }

    /// The colours of standard error.
    pub(crate) fn stderr() -> Self {
        Self::by(AutoStream::choice(&io::stderr()))
    }

    fn by(choice: ColorChoice) -> Self {
        // Consoles of other systems may print the sequences as they are.
        Paint { colours: cfg!(unix) && choice != ColorChoice::Never }
    }

    /// What leads to more: a directory.
    pub(crate) fn directory<T>(self, what: T) -> Painted<T> {
        self.painted(AnsiColor::Blue, what)
    }

    /// What is wrong: a fault, a failure.
    pub(crate) fn wrong<T>(self, what: T) -> Painted<T> {
        self.painted(AnsiColor::Red, what)
    }

    fn painted<T>(self, colour: AnsiColor, what: T) -> Painted<T> {
        let style =
            if self.colours { Style::new().bold().fg_color(Some(colour.into())) } else { Style::new() };
        Painted { style, what }
    }
}

/// Something in its colour. A width is that of the text alone.
pub(crate) struct Painted<T> {
    style: Style,
    what: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.style)?;
        self.what.fmt(f)?;
        // The alternate form of a style is its end.
        write!(f, "{:#}", self.style)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_stand_around_the_text_or_nowhere() {
        let colours = Paint { colours: true };
        let painted = format!("{:>3}|", colours.directory("a"));
        assert!(painted.starts_with("\u{1b}[") && painted.ends_with("  a\u{1b}[0m|"), "{painted:?}");
        assert_ne!(colours.wrong("a").to_string(), colours.directory("a").to_string());
        assert_eq!(format!("{:>3}|", Paint::default().wrong("a")), "  a|");
    }
}

//! Standard output: text for people, or one JSON object a line.

use std::fmt;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::time::{Duration, Instant};

use serde::Serialize;
use terminal_size::terminal_size_of;

use crate::failure::Failure;
use crate::paint::Paint;

/// How much is gathered before it is written, in bytes.
const BUFFER: usize = 64 * 1024;

/// How long a line may wait for others before it is written; whoever reads a pipe line by line
/// sees a slow walk move on.
const FLUSH_EVERY: Duration = Duration::from_millis(100);

/// One line of output.
pub(crate) trait Record: Serialize {
    /// The line for people, without its end.
    fn text(&self, f: &mut fmt::Formatter<'_>, paint: Paint) -> fmt::Result;
}

/// Standard output, buffered.
pub(crate) struct Output {
    out: BufWriter<Stdout>,
    json: bool,
    terminal: bool,
    paint: Paint,
    flushed: Instant,
}

struct Text<'a, R: ?Sized>(&'a R, Paint);

impl<R: Record + ?Sized> fmt::Display for Text<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.text(f, self.1)
    }
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        let out = BufWriter::with_capacity(BUFFER, stdout);
        Output { out, json, terminal, paint: Paint::stdout(), flushed: Instant::now() }
    }

    /// Whether lines are JSON objects.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// Whether a terminal shows what is written.
    pub(crate) fn terminal(&self) -> bool {
        self.terminal
    }

    /// The colours that lines have here.
    pub(crate) fn paint(&self) -> Paint {
        self.paint
    }

    /// How many columns a text is to take at most; `None` where no terminal shows it.
    pub(crate) fn width(&self) -> Option<usize> {
        // As wide as the help becomes at most: longer lines are hard to read.
        const WIDEST: usize = 100;
        let (width, _) = self.terminal.then(|| terminal_size_of(io::stdout())).flatten()?;
        Some(usize::from(width.0).min(WIDEST))
    }

    /// Writes one line, as text or as JSON.
    pub(crate) fn record(&mut self, record: &impl Record) -> Result<(), Failure> {
        if self.json {
            return self.object(record);
        }
        let paint = self.paint;
        self.write(|out| writeln!(out, "{}", Text(record, paint)))
    }

    /// Writes one JSON object as a line.
    pub(crate) fn object(&mut self, object: &impl Serialize) -> Result<(), Failure> {
        self.write(|out| {
            serde_json::to_writer(&mut *out, object)?;
            out.write_all(b"\n")
        })
    }

    /// Writes a line of text.
    pub(crate) fn line(&mut self, text: impl fmt::Display) -> Result<(), Failure> {
        self.write(|out| writeln!(out, "{text}"))
    }

    /// Writes bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.write(|out| out.write_all(bytes))
    }

    fn write(&mut self, write: impl FnOnce(&mut BufWriter<Stdout>) -> io::Result<()>) -> Result<(), Failure> {
        write(&mut self.out).map_err(Failure::output)?;
        if self.terminal || self.flushed.elapsed() >= FLUSH_EVERY {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes what was gathered.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.flushed = Instant::now();
        self.out.flush().map_err(Failure::output)
    }
}

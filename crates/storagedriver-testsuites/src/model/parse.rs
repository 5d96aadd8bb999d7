//! Programs from their text.

use std::str::FromStr;

use storagedriver::{WalkOrder, WriteMode};

use super::program::{Content, Handle, Operation, Program, Slot, Step};

impl FromStr for Program {
    type Err = String;

    /// Parses one step a line. Empty lines and those that start with `//` are left out.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with("//") {
                continue;
            }
            let step = Line { rest: line }.step();
            steps.push(step.map_err(|wrong| format!("line {}: {wrong}: {line}", number + 1))?);
        }
        Ok(Program { steps })
    }
}

/// What is left of a line.
struct Line<'a> {
    rest: &'a str,
}

impl<'a> Line<'a> {
    /// Takes `token` if the line goes on with it.
    fn try_take(&mut self, token: &str) -> bool {
        let taken = self.rest.trim_start().strip_prefix(token);
        if let Some(rest) = taken {
            self.rest = rest;
        }
        taken.is_some()
    }

    fn take(&mut self, token: &str) -> Result<(), String> {
        if self.try_take(token) { Ok(()) } else { Err(format!("expected {token:?}")) }
    }

    /// The characters up to the first that is not `of`.
    fn take_while(&mut self, of: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest.trim_start();
        let end = rest.find(|character| !of(character)).unwrap_or(rest.len());
        let (taken, rest) = rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn word(&mut self) -> &'a str {
        self.take_while(|character| character.is_ascii_alphabetic() || character == '_')
    }

    fn number<N: FromStr>(&mut self) -> Result<N, String> {
        let digits = self.take_while(|character| character.is_ascii_digit());
        digits.parse().map_err(|_| format!("expected a number, not {digits:?}"))
    }

    fn string(&mut self) -> Result<String, String> {
        self.take("\"")?;
        let text = self.take_while(|character| character != '"').to_owned();
        self.take("\"")?;
        Ok(text)
    }

    fn content(&mut self) -> Result<Content, String> {
        self.take("fill(")?;
        let seed = self.number()?;
        self.take(",")?;
        let length = self.number()?;
        self.take(")")?;
        Ok(Content { seed, length })
    }

    fn handle(&mut self) -> Handle {
        if self.try_take("second.") { Handle::Second } else { Handle::First }
    }

    fn step(mut self) -> Result<Step, String> {
        let (handle, operation) = if self.try_take("let ") {
            self.opening()?
        } else if self.numbered('w') {
            self.take("w")?;
            (Handle::First, self.writer_call()?)
        } else if self.numbered('r') {
            self.take("r")?;
            let slot = self.number()?;
            self.take(".finish(")?;
            (Handle::First, Operation::FinishReader(slot))
        } else {
            let handle = self.handle();
            (handle, self.call()?)
        };
        self.take(")")?;
        match self.rest.trim() {
            "" => Ok(Step { handle, operation }),
            rest => Err(format!("unexpected {rest:?}")),
        }
    }

    /// Whether the line goes on with `letter` and a digit.
    fn numbered(&self, letter: char) -> bool {
        let rest = self.rest.strip_prefix(letter);
        rest.is_some_and(|rest| rest.starts_with(|character: char| character.is_ascii_digit()))
    }

    fn opening(&mut self) -> Result<(Handle, Operation), String> {
        let writer = self.try_take("w");
        if !writer {
            self.take("r")?;
        }
        let slot: Slot = self.number()?;
        self.take("=")?;
        let handle = self.handle();
        self.take(if writer { "writer(" } else { "reader(" })?;
        let path = self.string()?;
        if !writer {
            return Ok((handle, Operation::OpenReader(slot, path)));
        }
        self.take(",")?;
        let mode = match self.word() {
            "Create" => WriteMode::Create,
            "Append" => WriteMode::Append,
            other => return Err(format!("no write mode {other:?}")),
        };
        Ok((handle, Operation::OpenWriter(slot, path, mode)))
    }

    fn writer_call(&mut self) -> Result<Operation, String> {
        let slot: Slot = self.number()?;
        self.take(".")?;
        let name = self.word();
        self.take("(")?;
        Ok(match name {
            "write" => Operation::Write(slot, self.content()?),
            "close" => Operation::Close(slot),
            "commit" => Operation::Commit(slot),
            "cancel" => Operation::Cancel(slot),
            "drop" => Operation::Drop(slot),
            other => return Err(format!("a writer has no {other:?}")),
        })
    }

    fn call(&mut self) -> Result<Operation, String> {
        let name = self.word();
        self.take("(")?;
        let path = self.string()?;
        Ok(match name {
            "put" => {
                self.take(",")?;
                Operation::Put(path, self.content()?)
            }
            "get" => Operation::Get(path),
            "read" => {
                self.take(",")?;
                let offset: u64 = self.number()?;
                self.take("..")?;
                let open = self.rest.trim_start().starts_with(')');
                let end: Option<u64> = if open { None } else { Some(self.number()?) };
                Operation::Read(path, offset, end.map(|end| end.saturating_sub(offset)))
            }
            "stat" => Operation::Stat(path),
            "list" => Operation::List(path),
            "walk" => self.walk(path)?,
            "rename" => {
                self.take(",")?;
                Operation::Rename(path, self.string()?)
            }
            "delete" => Operation::Delete(path),
            "uploads" => Operation::Uploads(path),
            "abort_stale" => Operation::AbortStale(path),
            other => return Err(format!("no operation {other:?}")),
        })
    }

    fn walk(&mut self, path: String) -> Result<Operation, String> {
        self.take(",")?;
        let order = match self.word() {
            "Key" => WalkOrder::Key,
            "Tree" => WalkOrder::Tree,
            other => return Err(format!("no order {other:?}")),
        };
        let (mut after, mut skips) = (None, Vec::new());
        while self.try_take(",") {
            if self.try_take("after = ") {
                after = Some(self.string()?.parse().map_err(|error| format!("{error}"))?);
            } else {
                self.take("skip = [")?;
                while !self.try_take("]") {
                    skips.push(self.number()?);
                    self.try_take(",");
                }
            }
        }
        Ok(Operation::Walk(path, order, after, skips))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, wrong) in [
            ("get(\"/a\")\nget(\"/a\"", "line 2: expected \")\""),
            ("gte(\"/a\")", "no operation \"gte\""),
            ("let w1 = writer(\"/a\", Truncate)", "no write mode \"Truncate\""),
            ("w1.flush()", "a writer has no \"flush\""),
            ("put(\"/a\", fill(300, 1))", "expected a number"),
            ("get(\"/a\") x", "unexpected \"x\""),
        ] {
            let error = text.parse::<Program>().unwrap_err();
            assert!(error.contains(wrong), "{error}");
        }
        assert!("// a comment\n\n".parse::<Program>().unwrap().steps.is_empty());
    }
}

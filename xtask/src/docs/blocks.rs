//! The parts of a page that are made from something else, so that the two cannot disagree.
//!
//! A block stands between two comments, and its first names its source:
//!
//! - `<!-- parameters:filesystem -->`: the driver's parameter table, as
//!   `storagedriver drivers filesystem --markdown` prints it;
//! - `<!-- quote:path/of/file.rs fn name -->`: the item of that file whose first line contains
//!   `fn name`, with the comments and attributes above it; `*` for the item is the whole file.
//!
//! It ends with `<!-- /parameters:filesystem -->` or `<!-- /quote -->`.

use std::collections::BTreeMap;

use super::program::Program;
use crate::project::{Outcome, Project, read};

pub(crate) struct Generator<'a> {
    project: &'a Project,
    program: &'a Program,
    tables: BTreeMap<String, String>,
}

/// What a block holds, and how the line begins that ends it.
struct Block {
    text: String,
    end: &'static str,
}

impl<'a> Generator<'a> {
    pub(crate) fn new(project: &'a Project, program: &'a Program) -> Self {
        Generator { project, program, tables: BTreeMap::new() }
    }

    /// The page with every block made anew.
    pub(crate) fn refresh(&mut self, page: &str) -> Outcome<String> {
        let mut fresh = String::with_capacity(page.len());
        let mut lines = page.lines();
        while let Some(line) = lines.next() {
            fresh.push_str(line);
            fresh.push('\n');
            let Some(Block { text, end }) = self.block(line.trim())? else { continue };
            let Some(last) = lines.find(|line| line.trim().starts_with(end)) else {
                return Err(format!("no `{end}` after `{}`", line.trim()).into());
            };
            fresh.push('\n');
            fresh.push_str(text.trim_matches('\n'));
            fresh.push_str("\n\n");
            fresh.push_str(last);
            fresh.push('\n');
        }
        Ok(fresh)
    }

    /// What belongs after `line`, if a block begins there.
    fn block(&mut self, line: &str) -> Outcome<Option<Block>> {
        let Some(what) = line.strip_prefix("<!-- ").and_then(|line| line.strip_suffix(" -->")) else {
            return Ok(None);
        };
        if let Some(driver) = what.strip_prefix("parameters:") {
            return Ok(Some(Block { text: self.parameters(driver)?, end: "<!-- /parameters" }));
        }
        let Some(what) = what.strip_prefix("quote:") else { return Ok(None) };
        let (file, item) = what.split_once(' ').ok_or("a quote names a file and an item")?;
        let source = read(&self.project.root.join(file))?;
        let language = match file.rsplit('.').next().unwrap_or_default() {
            // Not compiled with the book: the file itself is.
            "rs" => "rust,ignore",
            other => other,
        };
        let quoted = if item == "*" { source } else { quote(&source, item)? };
        let text = format!("```{language}\n{}\n```", quoted.trim_matches('\n'));
        Ok(Some(Block { text, end: "<!-- /quote" }))
    }

    fn parameters(&mut self, driver: &str) -> Outcome<String> {
        if let Some(table) = self.tables.get(driver) {
            return Ok(table.clone());
        }
        let table = self.program.run(&["drivers", driver, "--markdown"])?;
        // Head and rule alone: there is nothing to tell.
        let table = if table.trim().lines().count() > 2 { table } else { "None.".to_owned() };
        self.tables.insert(driver.to_owned(), table.clone());
        Ok(table)
    }
}

/// The item whose first line contains `text`: from the comments and attributes above it to the
/// line that closes it at the same indentation, which is moved to the left margin.
fn quote(source: &str, text: &str) -> Outcome<String> {
    let lines: Vec<&str> = source.lines().collect();
    let first = lines
        .iter()
        .position(|line| line.contains(text) && !line.trim_start().starts_with("//"))
        .ok_or_else(|| format!("nothing to quote contains `{text}`"))?;
    let indent = |line: &str| line.len() - line.trim_start().len();
    let margin = lines.get(first).map_or(0, |line| indent(line));
    let above = lines.iter().take(first).rev().take_while(|line| {
        let trimmed = line.trim_start();
        indent(line) == margin && (trimmed.starts_with("//") || trimmed.starts_with("#["))
    });
    let start = first - above.count();
    let closing = |line: &&str| indent(line) == margin && line.trim_end().ends_with(['}', ';', ')']);
    let last = lines
        .iter()
        .enumerate()
        .skip(first)
        .find(|(_, line)| closing(line))
        .ok_or_else(|| format!("the item of `{text}` does not end"))?
        .0;
    let quoted = lines.iter().take(last + 1).skip(start);
    Ok(quoted.map(|line| line.get(margin..).unwrap_or_default()).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
use a;

impl A {
    /// Of `fn b` in words.
    #[inline]
    fn b(
        &self,
    ) -> u8 {
        1
    }

    fn c(&self) {}
}

const D: u8 = 1;
";

    #[test]
    fn an_item_is_quoted_whole_and_alone() {
        let b = "/// Of `fn b` in words.\n#[inline]\nfn b(\n    &self,\n) -> u8 {\n    1\n}";
        assert_eq!(quote(SOURCE, "fn b").unwrap(), b);
        assert_eq!(quote(SOURCE, "fn c").unwrap(), "fn c(&self) {}");
        assert_eq!(quote(SOURCE, "const D").unwrap(), "const D: u8 = 1;");
        assert!(quote(SOURCE, "impl A").unwrap().ends_with("fn c(&self) {}\n}"));
        assert!(quote(SOURCE, "fn x").is_err());
    }

    #[test]
    fn a_block_is_made_anew_and_the_rest_left_alone() {
        let project = Project::find().unwrap();
        // No block here asks it.
        let program = Program::at("no-such-program".into());
        let mut generator = Generator::new(&project, &program);
        let page = "# A\n\n<!-- quote:rustfmt.toml * -->\nstale\n<!-- /quote -->\n\nrest\n";
        let fresh = generator.refresh(page).unwrap();
        assert!(fresh.starts_with("# A\n\n<!-- quote:rustfmt.toml * -->\n\n```toml\nmax_width"), "{fresh}");
        assert!(fresh.ends_with("\n```\n\n<!-- /quote -->\n\nrest\n"), "{fresh}");
        assert_eq!(generator.refresh(&fresh).unwrap(), fresh);
        assert!(generator.refresh("<!-- quote:rustfmt.toml * -->\nno end\n").is_err());
    }
}

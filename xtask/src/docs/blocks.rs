//! The parts of a page that are made from something else, so that the two cannot disagree.
//!
//! A block stands between two comments, and its first names its source:
//!
//! - `<!-- parameters: filesystem -->`: the driver's parameter table, as
//!   `storagedriver drivers filesystem --markdown` prints it;
//! - `<!-- quote: path/of/file.rs: fn name -->`: the item of that file whose first line contains
//!   `fn name`, with the comments and attributes above it; a file of another kind, or `*` for the
//!   item, is quoted whole.
//!
//! Each ends with `<!-- end -->`.

use std::collections::BTreeMap;

use crate::project::{Outcome, Project, output, read};

const END: &str = "<!-- end -->";

pub(crate) struct Generator<'a> {
    project: &'a Project,
    tables: BTreeMap<String, String>,
}

impl<'a> Generator<'a> {
    pub(crate) fn new(project: &'a Project) -> Self {
        Generator { project, tables: BTreeMap::new() }
    }

    /// The page with every block made anew.
    pub(crate) fn refresh(&mut self, page: &str) -> Outcome<String> {
        let mut fresh = String::with_capacity(page.len());
        let mut lines = page.lines();
        while let Some(line) = lines.next() {
            fresh.push_str(line);
            fresh.push('\n');
            let Some(block) = self.block(line.trim())? else { continue };
            if !lines.by_ref().any(|line| line.trim() == END) {
                return Err(format!("no `{END}` after `{}`", line.trim()).into());
            }
            fresh.push('\n');
            fresh.push_str(block.trim_matches('\n'));
            fresh.push_str("\n\n");
            fresh.push_str(END);
            fresh.push('\n');
        }
        Ok(fresh)
    }

    /// What belongs after `line`, if a block begins there.
    fn block(&mut self, line: &str) -> Outcome<Option<String>> {
        let Some(what) = line.strip_prefix("<!-- ").and_then(|line| line.strip_suffix(" -->")) else {
            return Ok(None);
        };
        if let Some(driver) = what.strip_prefix("parameters: ") {
            return self.parameters(driver).map(Some);
        }
        if let Some(what) = what.strip_prefix("quote: ") {
            let (file, item) = what.split_once(": ").ok_or("a quote names a file and an item")?;
            let source = read(&self.project.root.join(file))?;
            let language = file.rsplit('.').next().unwrap_or_default();
            let language = if language == "rs" { "rust,ignore" } else { language };
            let quoted = if item == "*" { source } else { quote(&source, item)? };
            return Ok(Some(format!("```{language}\n{}\n```", quoted.trim_matches('\n'))));
        }
        Ok(None)
    }

    fn parameters(&mut self, driver: &str) -> Outcome<String> {
        if let Some(table) = self.tables.get(driver) {
            return Ok(table.clone());
        }
        let mut program = self.project.cargo();
        program.args(["run", "--quiet", "--package", "storagedriver-cli", "--"]);
        let table = output(program.args(["drivers", driver, "--markdown"]))?;
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
        let mut generator = Generator::new(&project);
        let page = "# A\n\n<!-- quote: rustfmt.toml: * -->\nstale\n<!-- end -->\n\nrest\n";
        let fresh = generator.refresh(page).unwrap();
        assert!(fresh.starts_with("# A\n\n<!-- quote: rustfmt.toml: * -->\n\n```toml\nmax_width"), "{fresh}");
        assert!(fresh.ends_with("\n```\n\n<!-- end -->\n\nrest\n"), "{fresh}");
        assert_eq!(generator.refresh(&fresh).unwrap(), fresh);
        assert!(generator.refresh("<!-- quote: rustfmt.toml: * -->\nno end\n").is_err());
    }
}

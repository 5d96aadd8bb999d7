//! `man`: the manual pages, made from the definitions of the commands.

use std::fs;
use std::io;
use std::path::Path;

use clap_mangen::Man;

use super::Session;
use crate::arguments::{self, Man as Arguments, NAME, STORAGE_HELP};
use crate::failure::{Answer, Failure};

/// What every page says about how a command ends; the list in `docs/program.md` in short.
const EXIT_STATUS: &str = "\
0    done
1    the answer is no: not found, corrupt, faults found, a copy would be needed, a case failed
2    usage: bad arguments or parameters, an unknown driver
3    the backend failed, or refused; local input or output failed
129, 130, 143    ended by SIGHUP, Ctrl-C or SIGTERM
141    whoever read the output has gone";

pub(crate) fn run(arguments: &Arguments, session: &mut Session) -> Result<Answer, Failure> {
    let pages = pages();
    if let Some(directory) = &arguments.directory {
        write_all(&pages, directory)?;
        return Ok(Answer::Yes);
    }
    let wanted = match &arguments.command {
        Some(command) => format!("{NAME}-{command}"),
        None => NAME.to_owned(),
    };
    let Some(page) = pages.iter().find(|page| page.name == wanted) else {
        return Err(Failure::Usage(format!("there is no page {wanted}")));
    };
    session.output.bytes(&render(page).map_err(Failure::output)?)?;
    Ok(Answer::Yes)
}

/// One page, not yet rendered.
struct Page {
    /// `storagedriver-ls`.
    name: String,
    description: clap::Command,
}

/// The program's own page, then one for each command.
fn pages() -> Vec<Page> {
    // Without `help`, which has nothing to say beyond these pages.
    let mut program = arguments::description().disable_help_subcommand(true);
    // So that the options of every command are there in each.
    program.build();
    let mut pages: Vec<Page> = program
        .get_subcommands()
        .map(|command| Page { name: format!("{NAME}-{}", command.get_name()), description: command.clone() })
        .collect();
    pages.insert(0, Page { name: NAME.to_owned(), description: program });
    pages
}

fn write_all(pages: &[Page], directory: &Path) -> Result<(), Failure> {
    let failed = |path: &Path| {
        let what = format!("writing the manual page {}", path.display());
        move |source| Failure::Local { what, source }
    };
    for page in pages {
        let path = directory.join(format!("{}.1", page.name));
        let written = render(page).and_then(|text| fs::write(&path, text));
        written.map_err(failed(&path))?;
    }
    Ok(())
}

fn render(page: &Page) -> io::Result<Vec<u8>> {
    let is_program = page.name == NAME;
    let man = Man::new(page.description.clone())
        .title(page.name.to_ascii_uppercase())
        .source(concat!("storagedriver ", env!("CARGO_PKG_VERSION")))
        .manual("storagedriver");
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    if is_program {
        man.render_subcommands_section(&mut out)?;
        as_it_stands(&mut out, "STORAGE ARGUMENTS", STORAGE_HELP);
    }
    as_it_stands(&mut out, "EXIT STATUS", EXIT_STATUS);
    if !is_program {
        out.extend_from_slice(format!(".SH \"SEE ALSO\"\n.BR {NAME} (1)\n").as_bytes());
    }
    Ok(named(&String::from_utf8_lossy(&out)).into_bytes())
}

/// The text with what is not ASCII by its name in roff: formatters differ in the encoding that they
/// take a page to have.
fn named(text: &str) -> String {
    let mut named = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() {
            named.push(character);
        } else {
            named.push_str(&format!("\\[u{:04X}]", u32::from(character)));
        }
    }
    named
}

/// A section whose lines are not filled.
fn as_it_stands(out: &mut Vec<u8>, heading: &str, text: &str) {
    let mut section = format!(".SH \"{heading}\"\n.nf\n");
    for line in text.lines() {
        // A `.` or `'` at the start would be a request of roff; `\&` is nothing, and keeps it text.
        section.push_str("\\&");
        section.push_str(&line.replace('\\', "\\e").replace('-', "\\-"));
        section.push('\n');
    }
    section.push_str(".fi\n");
    out.extend_from_slice(section.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_page_for_the_program_and_for_each_command() {
        let names: Vec<String> = pages().into_iter().map(|page| page.name).collect();
        assert_eq!(names.first().map(String::as_str), Some(NAME));
        for command in arguments::description().get_subcommands() {
            assert!(names.contains(&format!("{NAME}-{}", command.get_name())), "{names:?}");
        }
        assert!(!names.contains(&format!("{NAME}-help")));
    }

    #[test]
    fn text_is_never_taken_for_a_request() {
        let mut out = Vec::new();
        as_it_stands(&mut out, "A", ".TH\n'x \\d a-b");
        assert_eq!(named("a,…b"), "a,\\[u2026]b");
        assert_eq!(String::from_utf8(out).unwrap(), ".SH \"A\"\n.nf\n\\&.TH\n\\&'x \\ed a\\-b\n.fi\n");
    }
}

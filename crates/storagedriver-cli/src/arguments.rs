//! The command line.

#[cfg(feature = "conformance")]
mod conformance;
mod run;
mod sync;
mod verify;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use storagedriver::{WalkKey, WalkOrder};
use tracing::level_filters::LevelFilter;

#[cfg(feature = "conformance")]
pub(crate) use self::conformance::Conformance;
pub(crate) use self::run::Run;
pub(crate) use self::sync::Sync;
pub(crate) use self::verify::Verify;
use crate::format::{parse_age, parse_levels};

/// The program's name.
pub(crate) const NAME: &str = "storagedriver";

/// Looks into registry storage, changes it, copies it and verifies it.
///
/// A storage is `name[:key=value,…]` or `@config.yml`; paths within it follow it. `storagedriver
/// drivers` tells the names, `storagedriver drivers NAME` the keys.
///
/// Exit codes: 0 done; 1 the answer is no (not found, corrupt, a copy would be needed, a case failed); 2 usage;
/// 3 the backend failed.
#[derive(Debug, Parser)]
#[command(name = NAME, version, max_term_width = 100, after_help = STORAGE_HELP)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

/// What a storage argument looks like; lines as they stand.
pub(crate) const STORAGE_HELP: &str = "\
A storage argument:
  filesystem:rootdirectory=/var/lib/registry       a driver and its parameters
  s3:bucket=b,prefix=\"a,b\",secretkey=env:KEY       quoted: holds `,` or `\"` (doubled); env: and file: are read
  @config.yml                                      the `storage:` section of a registry's configuration;
                                                   REGISTRY_STORAGE_* applies to it
  @env:config.yml                                  the same where a command takes two storages";

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Print one JSON object a line, on standard error too
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// No progress and no warnings
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// What to log to standard error: off, error, warn, info, debug or trace [default: warn]
    #[arg(long, global = true, value_name = "LEVEL")]
    pub(crate) log: Option<LevelFilter>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The drivers in this program, or the parameters of one
    Drivers(Drivers),
    /// The direct children of a directory
    Ls(Ls),
    /// Directories and files as a drawing
    Tree(Tree),
    /// How many bytes and files lie below a path
    Du(Du),
    /// Kind, size, time and version of what is at a path
    Stat(Stat),
    /// Writes a file's content to standard output
    Cat(Cat),
    /// Writes a file, or standard input, to a path; visible only when it is there whole
    Put(Put),
    /// Moves a file, replacing what is at the destination
    Mv(Mv),
    /// Deletes files, or directories with all below them
    Rm(Rm),
    /// A URL at which a client can read a file without this program
    Url(Url),
    /// Everything below a path, one key a line
    Walk(Walk),
    /// The uploads that were neither committed nor cancelled
    Uploads(Uploads),
    /// Tries what a storage lets one do, and what its backend can do
    Check(Check),
    /// Runs the conformance suite on a live storage, in a directory of its own
    #[cfg(feature = "conformance")]
    Conformance(Conformance),
    /// Copies what is new or changed from one storage to another
    Sync(Sync),
    /// Checks a registry's storage: blobs, links, manifests, tags
    Verify(Verify),
    /// Serves a storage to other programs, as a driver in a process of its own
    #[cfg(all(feature = "external", unix))]
    Serve(Serve),
    /// A script that makes a shell complete commands and options
    Completions(Completions),
    /// The manual pages, for man(1)
    Man(Man),
}

/// A storage argument as it was typed. It is parsed later: clap would repeat a bad value in its
/// message, and it may hold a secret.
#[derive(Clone)]
pub(crate) struct StorageText(pub(crate) String);

impl std::fmt::Debug for StorageText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StorageText")
    }
}

impl From<String> for StorageText {
    fn from(text: String) -> Self {
        StorageText(text)
    }
}

#[derive(Debug, Args)]
pub(crate) struct Drivers {
    /// The driver whose parameters to list
    pub(crate) name: Option<String>,
    /// As Markdown, for documentation
    #[arg(long, conflicts_with = "json")]
    pub(crate) markdown: bool,
}

/// How entries are drawn.
#[derive(Debug, Args)]
pub(crate) struct Sizes {
    /// Sizes of files too; one that the backend does not list is asked for
    #[arg(long, short)]
    pub(crate) long: bool,
    /// Sizes as 1.5 KiB instead of bytes; means --long
    #[arg(long, short = 'h')]
    pub(crate) human: bool,
}

/// How entries are listed.
#[derive(Debug, Args)]
pub(crate) struct Listing {
    /// Size, time and key; a size that the backend does not list is asked for
    #[arg(long, short)]
    pub(crate) long: bool,
    /// Sizes as 1.5 KiB instead of bytes; means --long
    #[arg(long, short = 'h')]
    pub(crate) human: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Ls {
    /// The storage
    pub(crate) storage: StorageText,
    /// The directory
    #[arg(default_value = "/")]
    pub(crate) path: String,
    #[command(flatten)]
    pub(crate) listing: Listing,
}

#[derive(Debug, Args)]
pub(crate) struct Tree {
    /// The storage
    pub(crate) storage: StorageText,
    /// The directory
    #[arg(default_value = "/")]
    pub(crate) path: String,
    /// How many levels to draw [default: all]
    #[arg(long, value_name = "LEVELS", value_parser = parse_levels)]
    pub(crate) depth: Option<usize>,
    #[command(flatten)]
    pub(crate) sizes: Sizes,
}

#[derive(Debug, Args)]
pub(crate) struct Du {
    /// The storage
    pub(crate) storage: StorageText,
    /// Directories or files
    #[arg(value_name = "PATH", default_value = "/")]
    pub(crate) paths: Vec<String>,
    /// Tell the directories down to this many levels below the path, too
    #[arg(long, value_name = "LEVELS", default_value_t = 0)]
    pub(crate) depth: usize,
    /// Sizes as 1.5 KiB instead of bytes
    #[arg(long, short = 'h')]
    pub(crate) human: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Stat {
    /// The storage
    pub(crate) storage: StorageText,
    /// The path; `/` asks whether the storage can be reached
    #[arg(default_value = "/")]
    pub(crate) path: String,
    /// The size as 1.5 KiB instead of bytes
    #[arg(long, short = 'h')]
    pub(crate) human: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Cat {
    /// The storage
    pub(crate) storage: StorageText,
    /// The file
    pub(crate) path: String,
    /// The first byte to write
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    pub(crate) offset: u64,
    /// The most bytes to write
    #[arg(long, value_name = "BYTES")]
    pub(crate) length: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct Put {
    /// The storage
    pub(crate) storage: StorageText,
    /// The path to write to
    pub(crate) path: String,
    /// The local file to read; `-` is standard input
    #[arg(default_value = "-")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Mv {
    /// The storage
    pub(crate) storage: StorageText,
    /// The file to move
    pub(crate) from: String,
    /// Where to
    pub(crate) to: String,
}

#[derive(Debug, Args)]
pub(crate) struct Rm {
    /// The storage
    pub(crate) storage: StorageText,
    /// What to delete
    #[arg(required = true)]
    pub(crate) paths: Vec<String>,
    /// Delete directories with all below them
    #[arg(long, short)]
    pub(crate) recursive: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Url {
    /// The storage
    pub(crate) storage: StorageText,
    /// The file
    pub(crate) path: String,
    /// What the client is to do: GET or HEAD; a driver may know others
    #[arg(long, value_name = "METHOD", default_value = "GET")]
    pub(crate) method: String,
    /// How long the URL is to be valid, such as 20m or 1h; a backend may allow less
    #[arg(long, value_name = "AGE", value_parser = parse_age, default_value = "20m")]
    pub(crate) expiry: Duration,
}

/// The order of a walk.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Order {
    /// By the bytes of the keys: /a-b, /a/, /a/x
    Key,
    /// Depth first, the children of each directory by name: /a/, /a/x, /a-b
    Tree,
}

impl From<Order> for WalkOrder {
    fn from(order: Order) -> Self {
        match order {
            Order::Key => WalkOrder::Key,
            Order::Tree => WalkOrder::Tree,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Walk {
    /// The storage
    pub(crate) storage: StorageText,
    /// Where to start
    #[arg(default_value = "/")]
    pub(crate) path: String,
    /// The order
    #[arg(long, value_enum, default_value = "key")]
    pub(crate) order: Order,
    /// Only what comes after this key, as the walk prints it; /a/~ is after all below /a
    #[arg(long, value_name = "KEY")]
    pub(crate) start_after: Option<WalkKey>,
    #[command(flatten)]
    pub(crate) listing: Listing,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The storage
    pub(crate) storage: StorageText,
    /// The directory to work below, in a new one that is deleted afterwards
    #[arg(default_value = "/")]
    pub(crate) scratch: String,
}

#[derive(Debug, Args)]
pub(crate) struct Uploads {
    /// The storage
    pub(crate) storage: StorageText,
    /// Only uploads at and below this path
    #[arg(default_value = "/")]
    pub(crate) path: String,
    /// Abort those whose last activity is this long ago, such as 7d or 36h, and print them
    #[arg(long, value_name = "AGE", value_parser = parse_age)]
    pub(crate) abort_older_than: Option<Duration>,
    /// Sizes as 1.5 KiB instead of bytes
    #[arg(long, short = 'h')]
    pub(crate) human: bool,
}

#[cfg(all(feature = "external", unix))]
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The storage
    pub(crate) storage: StorageText,
    /// Where to make the Unix socket; only its user can connect to it
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The command whose page to print [default: the program's own]
    pub(crate) command: Option<String>,
    /// Write all pages into this directory instead
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "command", value_hint = ValueHint::DirPath)]
    pub(crate) directory: Option<PathBuf>,
}

impl Command {
    /// Whether nothing has to be taken back when the command is interrupted.
    pub(crate) fn only_reads(&self) -> bool {
        match self {
            Command::Drivers(_)
            | Command::Ls(_)
            | Command::Stat(_)
            | Command::Cat(_)
            | Command::Walk(_)
            | Command::Tree(_)
            | Command::Du(_)
            | Command::Url(_)
            | Command::Completions(_)
            | Command::Man(_)
            | Command::Verify(_) => true,
            Command::Sync(sync) => sync.dry_run,
            Command::Check(_) | Command::Put(_) | Command::Mv(_) | Command::Rm(_) => false,
            Command::Uploads(uploads) => uploads.abort_older_than.is_none(),
            #[cfg(feature = "conformance")]
            Command::Conformance(conformance) => conformance.list,
            #[cfg(all(feature = "external", unix))]
            Command::Serve(_) => false,
        }
    }
}

/// The description of the command line. Below the program itself `-h` is `--human`, as `ls` and
/// `du` have it, and help is `--help`.
pub(crate) fn description() -> clap::Command {
    let program = CommandLine::command();
    let names: Vec<String> = program.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    program
        .mut_subcommands(|command| {
            let help = Arg::new("help").long("help").action(ArgAction::Help).help("Print help");
            command.disable_help_flag(true).arg(help)
        })
        // The commands are known only here; so shells complete them.
        .mut_subcommand("man", |man| {
            man.mut_arg("command", |command| {
                command.value_parser(PossibleValuesParser::new(names)).hide_possible_values(true)
            })
        })
}

/// Parses the arguments of the process.
pub(crate) fn parse() -> Result<CommandLine, clap::Error> {
    let matches = description().try_get_matches()?;
    CommandLine::from_arg_matches(&matches)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_is_consistent() {
        description().debug_assert();
    }

    #[test]
    fn the_documentation_names_every_command_and_option() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/program.md");
        let page = std::fs::read_to_string(page).unwrap();
        for command in description().get_subcommands() {
            let row = format!("\n| `{} ", command.get_name());
            let alone = format!("\n| `{}`", command.get_name());
            assert!(page.contains(&row) || page.contains(&alone), "{}", command.get_name());
            for option in command.get_arguments().filter_map(Arg::get_long) {
                assert!(page.contains(&format!("--{option}")), "{} --{option}", command.get_name());
            }
        }
    }

    #[test]
    fn the_short_h_is_human_below_the_program() {
        let matches = description().try_get_matches_from(["storagedriver", "ls", "inmemory", "-h"]).unwrap();
        let Command::Ls(ls) = CommandLine::from_arg_matches(&matches).unwrap().command else {
            panic!("not ls");
        };
        assert!(ls.listing.human);
        assert_eq!(ls.path, "/");
    }
}

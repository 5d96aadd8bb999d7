//! The commands.

mod cat;
mod check;
mod completions;
#[cfg(feature = "conformance")]
mod conformance;
mod drivers;
mod du;
mod entry;
mod ls;
mod man;
mod mv;
mod put;
mod report;
mod rm;
#[cfg(all(feature = "external", unix))]
mod serve;
mod stat;
mod sync;
mod tree;
mod uploads;
mod url;
mod verify;
mod walk;

use crate::arguments::{Command, Global};
use crate::failure::{Answer, Failure};
use crate::interrupt::Interrupt;
use crate::output::Output;

/// What a command works with besides its own arguments.
pub(crate) struct Session {
    pub(crate) output: Output,
    pub(crate) interrupt: Interrupt,
    pub(crate) global: Global,
}

/// Runs a command to its end, or until a signal comes.
pub(crate) async fn run(command: Command, session: &mut Session) -> Result<Answer, Failure> {
    let mut interrupt = session.interrupt.clone();
    match command {
        // Takes its upload back when a signal comes.
        Command::Put(arguments) => put::run(arguments, session).await,
        // Deletes what it made, also then.
        Command::Check(arguments) => check::run(arguments, session).await,
        #[cfg(feature = "conformance")]
        Command::Conformance(arguments) => conformance::run(arguments, session).await,
        // Ends by a signal, and in order.
        #[cfg(all(feature = "external", unix))]
        Command::Serve(arguments) => serve::run(arguments, session).await,
        command => interrupt.or(run_interruptible(command, session)).await,
    }
}

async fn run_interruptible(command: Command, session: &mut Session) -> Result<Answer, Failure> {
    match command {
        Command::Drivers(arguments) => drivers::run(&arguments, session),
        Command::Ls(arguments) => ls::run(arguments, session).await,
        Command::Tree(arguments) => tree::run(arguments, session).await,
        Command::Du(arguments) => du::run(arguments, session).await,
        Command::Stat(arguments) => stat::run(arguments, session).await,
        Command::Cat(arguments) => cat::run(arguments, session).await,
        Command::Put(arguments) => put::run(arguments, session).await,
        Command::Mv(arguments) => mv::run(arguments, session).await,
        Command::Rm(arguments) => rm::run(arguments, session).await,
        Command::Url(arguments) => url::run(arguments, session).await,
        Command::Walk(arguments) => walk::run(arguments, session).await,
        Command::Check(arguments) => check::run(arguments, session).await,
        #[cfg(feature = "conformance")]
        Command::Conformance(arguments) => conformance::run(arguments, session).await,
        Command::Uploads(arguments) => uploads::run(arguments, session).await,
        Command::Sync(arguments) => sync::run(arguments, session).await,
        Command::Verify(arguments) => verify::run(arguments, session).await,
        Command::Completions(arguments) => completions::run(&arguments, session),
        Command::Man(arguments) => man::run(&arguments, session),
        #[cfg(all(feature = "external", unix))]
        Command::Serve(arguments) => serve::run(arguments, session).await,
    }
}

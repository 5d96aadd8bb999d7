//! `completions`: what makes a shell complete this program's commands and options.

use super::Session;
use crate::arguments::{self, Completions, NAME};
use crate::failure::{Answer, Failure};

pub(crate) fn run(arguments: &Completions, session: &mut Session) -> Result<Answer, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut arguments::description(), NAME, &mut script);
    session.output.bytes(&script)?;
    Ok(Answer::Yes)
}

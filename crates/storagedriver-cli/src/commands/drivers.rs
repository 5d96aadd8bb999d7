//! `drivers`: what is linked into this program.

use super::Session;
use crate::arguments::Drivers;
use crate::failure::{Answer, Failure};

pub(crate) fn run(arguments: &Drivers, session: &mut Session) -> Result<Answer, Failure> {
    session.output.line(format_args!("{:?} {}", arguments.name, arguments.markdown))?;
    Ok(Answer::Yes)
}

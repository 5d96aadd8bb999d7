//! `mv`: moves a file.

use serde::Serialize;

use super::Session;
use crate::arguments::Mv;
use crate::failure::{Answer, Failure};
use crate::open;

#[derive(Serialize)]
struct Moved<'a> {
    from: &'a str,
    to: &'a str,
}

pub(crate) async fn run(arguments: Mv, session: &mut Session) -> Result<Answer, Failure> {
    let storage = open::only(&arguments.storage).await?;
    storage.rename(&arguments.from, &arguments.to).await?;
    if session.output.json() {
        session.output.object(&Moved { from: &arguments.from, to: &arguments.to })?;
    }
    Ok(Answer::Yes)
}

//! `walk`: everything below a path.

use storagedriver::WalkOptions;

use super::Session;
use super::entry::{Entry, Style};
use crate::arguments::Walk;
use crate::failure::{Answer, Failure};
use crate::open;

pub(crate) async fn run(arguments: Walk, session: &mut Session) -> Result<Answer, Failure> {
    let storage = open::only(&arguments.storage).await?;
    let style = Style::from(&arguments.listing);
    let mut options = WalkOptions::new();
    options.order = arguments.order.into();
    options.start_after = arguments.start_after;
    let mut walk = storage.walk(&arguments.path, options).await?;
    while let Some(info) = walk.next().await? {
        session.output.record(&Entry::new(&info, style))?;
    }
    Ok(Answer::Yes)
}

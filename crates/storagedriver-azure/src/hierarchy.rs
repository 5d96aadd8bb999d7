//! Accounts with a hierarchical namespace, whose directories are blobs of a kind: they are refused
//! until this driver was tested on one.

use bytes::Bytes;
use storagedriver_object::StoreResult;
use storagedriver_object::http::Method;
use tokio::sync::OnceCell;

use crate::client::{Client, SMALL};
use crate::service::hierarchical;

/// What is known of the account.
#[derive(Debug, Default)]
pub(crate) struct Hierarchy(OnceCell<bool>);

impl Hierarchy {
    /// Asks once, before the first write, and refuses where there are directories. Whoever may not
    /// ask is let through: then it shows in the first listing.
    pub(crate) async fn refuse(&self, client: &Client) -> StoreResult<()> {
        if *self.0.get_or_init(|| ask(client)).await { Err(hierarchical()) } else { Ok(()) }
    }
}

async fn ask(client: &Client) -> bool {
    let asked = async {
        let url = client.location.container_url(&[("restype", "account"), ("comp", "properties")])?;
        let request = client.request("GetAccountInformation", Method::GET, url, Bytes::new())?;
        client.send(&request, SMALL, |head, _| Ok(head.header("x-ms-is-hns-enabled") == Some("true"))).await
    };
    match asked.await {
        Ok(has_directories) => has_directories,
        Err(error) => {
            tracing::debug!(?error, "whether the account has a hierarchical namespace is not known");
            false
        }
    }
}

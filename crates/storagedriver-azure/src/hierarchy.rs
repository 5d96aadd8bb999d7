//! Accounts with a hierarchical namespace, whose directories are blobs of a kind: they are refused
//! until this driver was tested on one.

use bytes::Bytes;
use storagedriver::ErrorKind;
use storagedriver_object::http::Method;
use storagedriver_object::{StoreError, StoreResult};
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
        match self.0.get_or_try_init(|| ask(client)).await {
            Ok(true) => Err(hierarchical()),
            // While nobody answers, the write itself will tell that.
            Ok(false) | Err(_) => Ok(()),
        }
    }
}

/// Whether there are directories; an error if it is worth to ask again.
async fn ask(client: &Client) -> StoreResult<bool> {
    let url = client.location.container_url(&[("restype", "account"), ("comp", "properties")])?;
    let request = client.request("GetAccountInformation", Method::GET, url, Bytes::new())?;
    let told =
        client.send(&request, SMALL, |head, _| Ok(head.header("x-ms-is-hns-enabled") == Some("true"))).await;
    match told {
        Err(StoreError::Failed(failure))
            if matches!(failure.kind(), ErrorKind::Unavailable | ErrorKind::Throttled) =>
        {
            Err(StoreError::Failed(failure))
        }
        Err(error) => {
            tracing::debug!(?error, "whether the account has a hierarchical namespace is not known");
            Ok(false)
        }
        told => told,
    }
}

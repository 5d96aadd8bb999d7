//! What can be configured.

use std::sync::Arc;

use storagedriver::url::Url;
use storagedriver::{Error, MiddlewareRegistration, Result, StorageDriver};

use super::{AddressRanges, CloudFront, Signer};
use crate::BaseUrl;

storagedriver::parameters! {
    /// Options of the middleware `cloudfront`.
    pub struct CloudFrontParameters for "cloudfront" {
        /// Where the distribution is: `https://d111111abcdef8.cloudfront.net`. Without a scheme it is https.
        baseurl: String = required,
        /// The file with the private key, in PEM: RSA, PKCS #1 or PKCS #8, not encrypted.
        privatekey: Path = required,
        /// The id by which CloudFront knows the key's public half.
        keypairid: String = required,
        /// How long a URL is valid. Unless given, as long as the caller asks for: in a registry 20 minutes.
        duration: Duration(1 s ..),
        /// Which clients are sent to the store itself: none, those in Amazon's network (`aws`), or those in some of
        /// its regions (`awsregion`).
        ipfilteredby: Choice("none", "aws", "awsregion"),
        /// The regions, for `ipfilteredby: awsregion`: `us-east-1,us-west-2`.
        awsregion: List,
        /// How often the list of Amazon's networks is asked for.
        updatefrequency: Duration(1 s ..) = "12h" { aliases: ["updatefrenquency"] },
        /// Where the list of Amazon's networks is.
        iprangesurl: String = "https://ip-ranges.amazonaws.com/ip-ranges.json",
    }
}

fn wrong(parameter: &'static str, reason: impl Into<String>) -> Error {
    Error::invalid_parameter("cloudfront", parameter, reason)
}

impl CloudFrontParameters {
    /// The layer that these options describe. Reads the key; where clients are told apart by their
    /// address, asks for the list of networks, as [`AddressRanges::start`] does.
    ///
    /// # Errors
    /// [`InvalidParameter`](Error::InvalidParameter), naming the option and what is wrong with it.
    pub async fn into_layer(self, inner: Arc<dyn StorageDriver>) -> Result<CloudFront> {
        let base = match self.baseurl.contains("://") {
            true => BaseUrl::parse(&self.baseurl),
            false => BaseUrl::parse(&format!("https://{}", self.baseurl)),
        };
        let base = base.map_err(|reason| wrong("baseurl", reason.to_string()))?;
        let signer = self.signer().await?;
        let direct = self.direct().await?;
        let mut layer = CloudFront::new(inner, base, signer);
        if let Some(duration) = self.duration {
            layer = layer.with_duration(duration);
        }
        if let Some(ranges) = direct {
            layer = layer.with_direct(ranges);
        }
        Ok(layer)
    }

    async fn signer(&self) -> Result<Signer> {
        let file = self.privatekey.display();
        let pem = tokio::fs::read_to_string(&self.privatekey)
            .await
            .map_err(|error| wrong("privatekey", format!("{file} cannot be read: {error}")))?;
        Signer::from_pem(&self.keypairid, &pem)
            .map_err(|reason| wrong("privatekey", format!("what {file} holds {reason}")))
    }

    /// The addresses of those who are sent to the store itself.
    async fn direct(&self) -> Result<Option<AddressRanges>> {
        let regions: Vec<String> =
            self.awsregion.iter().flatten().filter(|region| !region.is_empty()).cloned().collect();
        let regions = match self.ipfilteredby {
            Some("aws") => Vec::new(),
            Some("awsregion") if regions.is_empty() => {
                return Err(wrong(
                    "awsregion",
                    "is required with ipfilteredby: awsregion; allowed: a list of regions",
                ));
            }
            Some("awsregion") => regions,
            _ => {
                if !regions.is_empty() {
                    tracing::warn!("cloudfront: awsregion has no effect without ipfilteredby: awsregion");
                }
                return Ok(None);
            }
        };
        if self.ipfilteredby == Some("aws") && self.awsregion.is_some() {
            tracing::warn!("cloudfront: awsregion has no effect with ipfilteredby: aws");
        }
        let url = Url::parse(&self.iprangesurl)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| wrong("iprangesurl", "is no URL; allowed: one of http or https"))?;
        let ranges = AddressRanges::start(url, self.updatefrequency, regions).await;
        ranges.map(Some).map_err(|error| wrong("ipfilteredby", format!("cannot be used: {error}")))
    }
}

/// The middleware `cloudfront`.
pub const CLOUDFRONT: MiddlewareRegistration = MiddlewareRegistration::new(
    "cloudfront",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_VERSION"),
    "sends clients to Amazon CloudFront, by signed URLs",
    &CloudFrontParameters::TABLE,
    |storage, options| {
        Box::pin(async move {
            let options = CloudFrontParameters::parse(options)?;
            let layer = options.into_layer(storage.driver().clone()).await?;
            Ok(storage.layer(|_| layer))
        })
    },
);

storagedriver::register!(CLOUDFRONT);

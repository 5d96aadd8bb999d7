//! Connection strings, as the portal and the tools of Azure show them.

use storagedriver::Secret;

/// The well-known account of the emulators, and its key, which is no secret.
/// <https://learn.microsoft.com/azure/storage/common/storage-connect-azurite>
const EMULATOR_ACCOUNT: &str = "devstoreaccount1";
const EMULATOR_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const EMULATOR_ENDPOINT: &str = "http://127.0.0.1:10000/devstoreaccount1";

/// What a connection string says of the blob service.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ConnectionString {
    pub(crate) account: Option<String>,
    pub(crate) key: Option<Secret>,
    pub(crate) sas: Option<Secret>,
    pub(crate) endpoint: Option<String>,
}

impl ConnectionString {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong, without quoting a value.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut found = ConnectionString::default();
        let (mut protocol, mut suffix, mut emulator) = (None, None, false);
        for pair in text.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
            let Some((name, value)) = pair.split_once('=') else {
                return Err("has a part without `=`; parts are NAME=VALUE, with `;` between".to_owned());
            };
            let value = value.trim().to_owned();
            match name.trim().to_ascii_lowercase().as_str() {
                "accountname" => found.account = Some(value),
                "accountkey" => found.key = Some(Secret::new(value)),
                "sharedaccesssignature" => found.sas = Some(Secret::new(value)),
                "blobendpoint" => found.endpoint = Some(value),
                "defaultendpointsprotocol" => protocol = Some(value.to_ascii_lowercase()),
                "endpointsuffix" => suffix = Some(value),
                "usedevelopmentstorage" => emulator = value.eq_ignore_ascii_case("true"),
                // Of the account's other services.
                "queueendpoint" | "tableendpoint" | "fileendpoint" | "dfsendpoint" => {}
                "blobsecondaryendpoint" | "queuesecondaryendpoint" | "tablesecondaryendpoint" => {}
                "filesecondaryendpoint" => {}
                "developmentstorageproxyuri" => {
                    return Err("names a proxy for the emulator; give BlobEndpoint instead".to_owned());
                }
                _ => return Err(format!("has the part {:?}, which is not known", name.trim())),
            }
        }
        if emulator {
            found.account.get_or_insert_with(|| EMULATOR_ACCOUNT.to_owned());
            found.key.get_or_insert_with(|| Secret::new(EMULATOR_KEY));
            found.endpoint.get_or_insert_with(|| EMULATOR_ENDPOINT.to_owned());
        }
        let protocol = protocol.unwrap_or_else(|| "https".to_owned());
        if !matches!(protocol.as_str(), "http" | "https") {
            return Err("has a DefaultEndpointsProtocol that is neither http nor https".to_owned());
        }
        if found.endpoint.is_none()
            && let Some(account) = &found.account
        {
            let suffix = suffix.unwrap_or_else(|| "core.windows.net".to_owned());
            found.endpoint = Some(format!("{protocol}://{account}.blob.{suffix}"));
        }
        if found.account.is_none() {
            // With a SAS, the portal names the endpoint alone.
            let host = found.endpoint.as_deref().and_then(|endpoint| endpoint.split("://").nth(1));
            let account = host.and_then(|host| host.split_once(".blob.")).map(|(account, _)| account);
            found.account = account.map(str::to_owned);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> ConnectionString {
        ConnectionString::parse(text).unwrap()
    }

    #[test]
    fn the_account_key_of_the_portal() {
        let found = parse(
            "DefaultEndpointsProtocol=https;AccountName=layers;AccountKey=a2V5+/==;\
             EndpointSuffix=core.chinacloudapi.cn",
        );
        assert_eq!(found.account.as_deref(), Some("layers"));
        assert_eq!(found.key.unwrap().reveal(), "a2V5+/==");
        assert_eq!(found.endpoint.as_deref(), Some("https://layers.blob.core.chinacloudapi.cn"));
    }

    #[test]
    fn the_signature_of_the_portal() {
        let found = parse(
            "BlobEndpoint=https://layers.blob.core.windows.net/;QueueEndpoint=https://q/;\
             SharedAccessSignature=sv=2023-11-03&sig=a%2Bb%3D",
        );
        assert_eq!(found.account.as_deref(), Some("layers"));
        assert_eq!(found.sas.unwrap().reveal(), "sv=2023-11-03&sig=a%2Bb%3D");
        assert_eq!(found.endpoint.as_deref(), Some("https://layers.blob.core.windows.net/"));
    }

    #[test]
    fn the_emulator() {
        let found = parse("UseDevelopmentStorage=true");
        assert_eq!(found.account.as_deref(), Some("devstoreaccount1"));
        assert_eq!(found.endpoint.as_deref(), Some("http://127.0.0.1:10000/devstoreaccount1"));
        assert!(found.key.is_some());
    }

    #[test]
    fn what_is_wrong_is_told_without_values() {
        for (text, reason) in [
            ("AccountName", "without `=`"),
            ("AccountKei=geheim", "\"AccountKei\""),
            ("AccountName=a;DefaultEndpointsProtocol=ftp", "neither http nor https"),
        ] {
            let told = ConnectionString::parse(text).unwrap_err();
            assert!(told.contains(reason) && !told.contains("geheim"), "{told}");
        }
    }
}

//! How drivers reach a server in the process of the test.

use storagedriver::Parameters;
use storagedriver_gcs::GcsParameters;

/// Parameters for the bucket of a server; the token is asked of the server, too.
pub(crate) fn parameters(endpoint: &str, uploads: &'static str, chunksize: u64) -> GcsParameters {
    let mut credentials = Parameters::new();
    for (name, value) in [
        ("type", "authorized_user"),
        ("client_id", "client"),
        ("client_secret", "secret"),
        ("refresh_token", "refresh"),
    ] {
        credentials.insert(name, value);
    }
    credentials.insert("token_uri", format!("{endpoint}/token"));
    let mut parameters = GcsParameters::new("bucket");
    endpoint.clone_into(&mut parameters.endpoint);
    parameters.credentials = Some(credentials);
    parameters.rootdirectory = "/some/root/".to_owned();
    parameters.uploads = uploads;
    parameters.chunksize = chunksize;
    parameters
}

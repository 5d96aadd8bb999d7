//! How drivers reach a server in the process of the test.

use storagedriver::Secret;
use storagedriver_swift::SwiftParameters;

/// Parameters for the container of a server; the token is asked of the server, too.
pub(crate) fn parameters(endpoint: &str) -> SwiftParameters {
    let mut parameters = SwiftParameters::new(format!("{endpoint}/v3"), "container");
    parameters.username = Some("tester".to_owned());
    parameters.password = Some(Secret::new("testing"));
    parameters.tenant = Some("test".to_owned());
    parameters.domain = Some("Default".to_owned());
    parameters.prefix = "some/root".to_owned();
    parameters.chunksize = 1 << 20;
    parameters
}

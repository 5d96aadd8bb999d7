//! The configuration of Swift's proxy.

use super::SECRET_KEY;
use super::keystone::Keystone;

/// Steps of the proxy that have no settings.
const PLAIN: [&str; 8] =
    ["catch_errors", "gatekeeper", "healthcheck", "listing_formats", "bulk", "copy", "dlo", "symlink"];

/// How many seconds a token of Swift's own is good for: so short that some expire while the suite runs.
const TOKEN_LIFE: u32 = 40;

/// With one storage server of each kind, none is ever to be left alone for its errors.
pub(super) fn configuration(
    place: &str,
    user: &str,
    port: u16,
    cache_port: u16,
    keystone: Option<&Keystone>,
) -> String {
    // The S3 interface wants more of Keystone than anybody needs here.
    let authentication = if keystone.is_some() { "authtoken keystoneauth" } else { "s3api tempauth" };
    let mut text = format!(
        "[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {place}
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk tempurl {authentication} copy slo \
         dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
node_timeout = 60
recoverable_node_timeout = 60
conn_timeout = 20
error_suppression_limit = 1000000
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = {SECRET_KEY} .admin
user_test_writer = writing
token_life = {TOKEN_LIFE}
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{cache_port}
[filter:slo]
use = egg:swift#slo
min_segment_size = 1
[filter:tempurl]
use = egg:swift#tempurl
allowed_digests = sha1 sha256 sha512
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true
"
    );
    if let Some(keystone) = keystone {
        text += &keystone.filters();
    }
    for step in PLAIN {
        text += &format!("[filter:{step}]\nuse = egg:swift#{step}\n");
    }
    text
}

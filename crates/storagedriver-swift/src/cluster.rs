//! What a cluster has, as it tells at `/info`.

use bytes::Bytes;
use serde::Deserialize;

/// What a cluster has. The default is one that tells nothing: only what every cluster has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cluster {
    /// Whether it told anything.
    pub(crate) is_known: bool,
    /// Whether it is Ceph's gateway. That one ignores conditions on puts, knows temporary URLs by keys of the account
    /// alone, and copies a manifest where Swift copies what it stands for.
    pub(crate) is_ceph: bool,
    /// Whether it has static large objects.
    pub(crate) has_static: bool,
    /// How many objects a bulk delete takes; `None` if there is none.
    pub(crate) bulk_delete: Option<usize>,
    /// The methods of temporary URLs; `None` if there are no such URLs.
    pub(crate) temp_url_methods: Option<Vec<String>>,
    /// Whether their signatures may be of SHA-256.
    pub(crate) has_sha256: bool,
    /// Whether containers have keys of their own.
    pub(crate) has_container_keys: bool,
}

#[derive(Deserialize)]
struct Info {
    #[serde(default)]
    swift: Swift,
    #[serde(default)]
    slo: Option<serde_json::Value>,
    #[serde(default)]
    bulk_delete: Option<BulkDelete>,
    #[serde(default)]
    tempurl: Option<TempUrl>,
}

#[derive(Deserialize, Default)]
struct Swift {
    #[serde(default)]
    version: String,
    /// So called by Ceph alone; Swift says `max_object_name_length`.
    #[serde(default)]
    max_object_name_size: Option<u64>,
}

#[derive(Deserialize)]
struct BulkDelete {
    #[serde(default)]
    max_deletes_per_request: Option<usize>,
}

#[derive(Deserialize)]
struct TempUrl {
    #[serde(default)]
    methods: Vec<String>,
    #[serde(default)]
    allowed_digests: Vec<String>,
}

impl Cluster {
    /// Reads what a cluster tells; `None` if that cannot be understood.
    pub(crate) fn read(body: &Bytes) -> Option<Self> {
        let info: Info = serde_json::from_slice(body).ok()?;
        let is_ceph = info.swift.max_object_name_size.is_some();
        let digests =
            info.tempurl.as_ref().map(|tempurl| tempurl.allowed_digests.clone()).unwrap_or_default();
        Some(Cluster {
            is_known: true,
            is_ceph,
            has_static: info.slo.is_some(),
            bulk_delete: info.bulk_delete.map(|bulk| bulk.max_deletes_per_request.unwrap_or(1000).max(1)),
            temp_url_methods: info.tempurl.map(|tempurl| tempurl.methods),
            has_sha256: digests.iter().any(|digest| digest == "sha256"),
            // Since 2.3.0; 2.10 is later.
            has_container_keys: !is_ceph && number(&info.swift.version) >= [2, 3],
        })
    }

    /// Whether a put can demand that nothing is there.
    pub(crate) fn has_conditional_put(&self) -> bool {
        self.is_known && !self.is_ceph
    }
}

fn number(version: &str) -> [u32; 2] {
    let mut numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
    [numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &'static str) -> Cluster {
        Cluster::read(&Bytes::from_static(text.as_bytes())).unwrap()
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        for (version, has) in
            [("2.2.9", false), ("2.3.0", true), ("2.10.1", true), ("2.35.0", true), ("1.13", false)]
        {
            let info = format!(r#"{{"swift": {{"version": "{version}"}}}}"#);
            assert_eq!(Cluster::read(&info.into()).unwrap().has_container_keys, has, "{version}");
        }
    }

    #[test]
    fn ceph_is_known_by_what_it_tells() {
        let ceph = told(
            r#"{"bulk_delete":{},"swift":{"version":"16.2.15","max_object_name_size":1024},
                "tempurl":{"methods":["GET","HEAD"]},"slo":{"max_manifest_segments":1000}}"#,
        );
        assert!(ceph.is_ceph && ceph.has_static && !ceph.has_sha256 && !ceph.has_container_keys);
        assert_eq!(ceph.bulk_delete, Some(1000));
        assert!(!ceph.has_conditional_put() && !Cluster::default().has_conditional_put());
    }
}

//! What is worked on.

/// One kind of storage, and who works on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bed {
    /// The driver `inmemory` and its peers.
    InMemory,
    /// The driver `filesystem` and its peers, in a directory of such a file system.
    Files { file_system: &'static str, is_durable: bool },
    /// The driver `s3` and its peers, on Ceph.
    S3,
    /// The driver `null` of the bench, through a process boundary.
    Ipc,
}

impl Bed {
    /// What the results call it.
    pub(crate) fn driver(self) -> String {
        match self {
            Bed::InMemory => "inmemory".to_owned(),
            Bed::Files { file_system, is_durable: true } => format!("filesystem-{file_system}"),
            Bed::Files { file_system, is_durable: false } => format!("filesystem-{file_system}-none"),
            Bed::S3 => "s3".to_owned(),
            Bed::Ipc => "ipc".to_owned(),
        }
    }

    /// Whether `name` chooses it: its driver's, or the beginning of that up to a hyphen.
    pub(crate) fn is_called(self, name: &str) -> bool {
        let driver = self.driver();
        driver.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }

    /// Whom ours is compared with.
    pub(crate) fn peers(self) -> &'static [&'static str] {
        match self {
            Bed::InMemory | Bed::S3 => &["go", "opendal", "object_store"],
            Bed::Files { is_durable: true, .. } => &["go", "opendal", "object_store", "raw"],
            // Distribution's driver and OpenDAL always sync what they write.
            Bed::Files { is_durable: false, .. } => &["object_store", "raw"],
            Bed::Ipc => &["in-process", "echo"],
        }
    }

    /// Whether the requests of its subjects are counted.
    pub(crate) fn counts_requests(self) -> bool {
        self == Bed::S3
    }

    /// Whether it is neither behind a server nor in another process.
    pub(crate) fn is_local(self) -> bool {
        matches!(self, Bed::InMemory | Bed::Files { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_chooses_what_begins_with_it() {
        let files = |is_durable| Bed::Files { file_system: "ext4", is_durable };
        for (name, chosen) in [
            ("filesystem", [true, true]),
            ("filesystem-ext4", [true, true]),
            ("filesystem-ext4-none", [false, true]),
            ("file", [false, false]),
            ("s3", [false, false]),
        ] {
            assert_eq!([true, false].map(|durable| files(durable).is_called(name)), chosen, "{name}");
        }
    }
}

//! What a driver says about itself when it is opened.

use std::ops::RangeInclusive;

use storagedriver::{Error, Guarantee, Guarantees, PathLimits, Result};

use crate::proto;

/// The program, as messages name it.
const PROGRAM: &str = concat!("storagedriver-ipc ", env!("CARGO_PKG_VERSION"));

/// The versions of the protocol that this host speaks.
pub(super) const VERSIONS: RangeInclusive<u32> = 1..=1;

/// What a driver can do and promises.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Opened {
    pub(super) driver: String,
    pub(super) redirects: bool,
    pub(super) examines: bool,
    pub(super) guarantees: Guarantees,
    pub(super) limits: PathLimits,
    pub(super) key_prefix: Option<String>,
}

/// The first message, of a host that speaks these versions.
pub(super) fn request(versions: &RangeInclusive<u32>) -> proto::NegotiateRequest {
    proto::NegotiateRequest {
        min_version: *versions.start(),
        max_version: *versions.end(),
        program: PROGRAM.to_owned(),
        capabilities: Vec::new(),
    }
}

/// Checks that both ends speak one version, and that this is the driver that was asked for.
///
/// # Errors
/// `InvalidConfiguration`, naming both programs and what they speak.
pub(super) fn check(
    versions: &RangeInclusive<u32>,
    asked: Option<&str>,
    reply: &proto::NegotiateReply,
) -> Result<()> {
    if !versions.contains(&reply.version) {
        let advice = if reply.min_version > *versions.end() {
            "update this program, or take an older driver"
        } else if reply.max_version < *versions.start() {
            "update the driver, or take an older version of this program"
        } else {
            "the driver breaks the protocol: it has to choose the highest version that both speak"
        };
        return Err(Error::invalid_configuration(format!(
            "the driver cannot be used: {PROGRAM} speaks versions {} to {} of the protocol, {} speaks {} to {} and chose {}; {advice}",
            versions.start(),
            versions.end(),
            reply.program,
            reply.min_version,
            reply.max_version,
            reply.version,
        )));
    }
    if !is_name(&reply.driver) {
        return Err(Error::invalid_configuration(format!(
            "the driver cannot be used: {} says that its name is {:?}, which is none ([a-z0-9-]+)",
            reply.program, reply.driver
        )));
    }
    match asked {
        Some(asked) if asked != reply.driver => Err(Error::invalid_configuration(format!(
            "the driver {asked:?} was asked for, and {} is the driver {:?}; ask for that, or start another executable",
            reply.program, reply.driver
        ))),
        _ => Ok(()),
    }
}

/// Whether a driver may have this name: the rule of the factory.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

impl Opened {
    /// Of the two first replies.
    pub(super) fn new(negotiated: proto::NegotiateReply, opened: proto::OpenReply) -> Self {
        let can = |name: &str| negotiated.capabilities.iter().any(|capability| capability == name);
        let usual = PathLimits::default();
        let limit = |said: u32, usual: usize| match usize::try_from(said) {
            Ok(said) if said > 0 => said,
            _ => usual,
        };
        Opened {
            redirects: can("redirect"),
            examines: can("examine"),
            guarantees: guarantees(&negotiated.driver, &opened.lacking),
            limits: PathLimits::new(
                limit(opened.path_limit, usual.path),
                limit(opened.component_limit, usual.component),
            ),
            key_prefix: opened.key_prefix,
            driver: negotiated.driver,
        }
    }

    /// Checks that a driver that was started again keeps what it said first: the program relies on it.
    ///
    /// # Errors
    /// `InvalidConfiguration`, saying what got worse.
    pub(super) fn keeps(&self, first: &Opened) -> Result<()> {
        let worse = if self.driver != first.driver {
            Some(format!("its name is {:?}, no longer {:?}", self.driver, first.driver))
        } else if let Some(lost) = self.guarantees.lacking().find(|&lost| first.guarantees.has(lost)) {
            Some(format!("it no longer promises {lost:?}: {}", lost.sentence()))
        } else if self.limits.path < first.limits.path || self.limits.component < first.limits.component {
            Some(format!("its limits of paths are {:?}, which were {:?}", self.limits, first.limits))
        } else if self.key_prefix != first.key_prefix {
            Some("it keeps paths under other names of its backend".to_owned())
        } else {
            None
        };
        match worse {
            None => Ok(()),
            Some(worse) => Err(Error::invalid_configuration(format!(
                "the driver was started again and is another than before: {worse}; make the storage anew"
            ))),
        }
    }
}

fn guarantees(driver: &str, lacking: &[String]) -> Guarantees {
    let mut guarantees = Guarantees::FULL;
    for name in lacking {
        match Guarantee::ALL.iter().find(|known| known.as_str() == name) {
            Some(&known) => guarantees = guarantees.without(known),
            None => {
                let name: String = name.chars().take(100).collect();
                tracing::warn!(
                    driver,
                    "the driver lacks a guarantee that this program does not know: {name:?}"
                );
            }
        }
    }
    guarantees
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(version: u32, versions: RangeInclusive<u32>) -> proto::NegotiateReply {
        proto::NegotiateReply {
            version,
            min_version: *versions.start(),
            max_version: *versions.end(),
            program: "other 9".to_owned(),
            capabilities: vec!["redirect".to_owned(), "teleport".to_owned()],
            driver: "foo".to_owned(),
        }
    }

    #[test]
    fn an_older_host_with_a_newer_driver_and_the_reverse() {
        // Both speak 2.
        assert!(check(&(1..=2), None, &reply(2, 2..=3)).is_ok());
        assert!(check(&(2..=3), None, &reply(2, 1..=2)).is_ok());
        let older = check(&(1..=1), None, &reply(0, 2..=3)).unwrap_err().to_string();
        for part in [PROGRAM, "other 9", "1 to 1", "2 to 3", "update this program"] {
            assert!(older.contains(part), "{older}");
        }
        let newer = check(&(2..=3), None, &reply(0, 1..=1)).unwrap_err().to_string();
        assert!(newer.contains("2 to 3") && newer.contains("update the driver"), "{newer}");
        let wrong = check(&(1..=1), None, &reply(7, 1..=7)).unwrap_err().to_string();
        assert!(wrong.contains("breaks the protocol"), "{wrong}");
    }

    #[test]
    fn another_driver_is_refused() {
        assert!(check(&VERSIONS, Some("foo"), &reply(1, 1..=1)).is_ok());
        let error = check(&VERSIONS, Some("bar"), &reply(1, 1..=1)).unwrap_err().to_string();
        assert!(error.contains("\"bar\"") && error.contains("\"foo\""), "{error}");
        let mut nameless = reply(1, 1..=1);
        nameless.driver.clear();
        assert!(check(&VERSIONS, None, &nameless).is_err());
    }

    #[test]
    fn what_a_driver_says_and_whether_it_still_does() {
        let said = proto::OpenReply {
            lacking: vec!["shared".to_owned(), "unheard-of".to_owned()],
            path_limit: 0,
            component_limit: 100,
            key_prefix: Some("p/".to_owned()),
        };
        let first = Opened::new(reply(1, 1..=1), said.clone());
        assert!(first.redirects && !first.examines);
        assert_eq!(first.guarantees, Guarantees::FULL.without(Guarantee::Shared));
        assert_eq!(first.limits, PathLimits::new(4096, 100));
        assert!(first.keeps(&first).is_ok());
        let mut better = first.clone();
        better.guarantees = Guarantees::FULL;
        better.limits = PathLimits::new(5000, 200);
        assert!(better.keeps(&first).is_ok());
        let worse = first.keeps(&better).unwrap_err().to_string();
        assert!(worse.contains("Shared"), "{worse}");
        let mut shorter = first.clone();
        shorter.limits = PathLimits::new(4096, 99);
        assert!(shorter.keeps(&first).unwrap_err().to_string().contains("limits"));
        let mut elsewhere = first.clone();
        elsewhere.key_prefix = None;
        assert!(elsewhere.keeps(&first).is_err());
    }
}

//! Which profile fits what was found out about a store.

use storagedriver_object::{Description, Feature};

use crate::profile::Profile;
use crate::profiles::PROFILES;

/// The profile that states most of what the store has and nothing that it lacks; `None` if that is
/// no more than the present one states.
///
/// Only those that belong to no vendor's hosts come into question, beside Amazon's, which states all:
/// a store that behaves as one of the others still has its own limits.
pub(crate) fn better(present: &Profile, found: &[(Feature, bool)]) -> Option<&'static Profile> {
    let general =
        |profile: &&Profile| profile.hosts.is_empty() || matches!(profile.name, "aws" | "minio" | "r2");
    let best =
        PROFILES.iter().filter(general).filter(|profile| is_safe(profile, found)).max_by_key(|profile| {
            // Of several that state as much, the last of the table: the plainest.
            stated(&profile.description(), found)
        })?;
    let enough = is_safe(present, found)
        && stated(&present.description(), found) >= stated(&best.description(), found);
    (!enough && best.name != present.name).then_some(best)
}

/// Whether the store has all that the profile states.
fn is_safe(profile: &Profile, found: &[(Feature, bool)]) -> bool {
    let description = profile.description();
    found.iter().all(|(feature, has)| *has || !feature.is_stated(&description))
}

fn stated(description: &Description, found: &[(Feature, bool)]) -> usize {
    found.iter().filter(|(feature, _)| feature.is_stated(description)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profiles::profile;

    const ALL: &[Feature] = &[
        Feature::ConditionalPut,
        Feature::ConditionalComplete,
        Feature::ConditionalCopy,
        Feature::ConditionalDelete,
        Feature::StartAfter,
        Feature::ByteOrder,
        Feature::BatchDelete,
        Feature::Multipart,
        Feature::UnequalParts,
        Feature::CopyPart,
        Feature::ListsUploads,
    ];

    fn found(lacking: &[Feature]) -> Vec<(Feature, bool)> {
        ALL.iter().map(|feature| (*feature, !lacking.contains(feature))).collect()
    }

    #[test]
    fn what_a_store_has_is_used_and_what_it_lacks_is_not() {
        use Feature::{ConditionalComplete, ConditionalDelete, ConditionalPut, UnequalParts};
        let generic = &Profile::GENERIC;
        let unconditional = [ConditionalPut, ConditionalComplete, ConditionalDelete];
        let suggested = |present: &Profile, lacking: &[Feature]| {
            better(present, &found(lacking)).map_or("none", |profile| profile.name)
        };
        assert_eq!(suggested(generic, &[]), "aws");
        assert_eq!(suggested(generic, &[ConditionalComplete, ConditionalDelete]), "minio");
        assert_eq!(suggested(generic, &[ConditionalComplete, ConditionalDelete, UnequalParts]), "r2");
        assert_eq!(suggested(profile("aws").unwrap(), &[]), "none");
        assert_eq!(suggested(profile("ceph").unwrap(), &unconditional), "none");
        let all: Vec<_> = unconditional.into_iter().chain([UnequalParts]).collect();
        assert_eq!(suggested(generic, &all), "none");
        assert_eq!(suggested(profile("aws").unwrap(), &all), "generic", "what is lacking is dangerous");
    }
}

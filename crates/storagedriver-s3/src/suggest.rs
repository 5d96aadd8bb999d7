//! Which profile fits what was found out about a store.

use storagedriver_object::{Description, Feature};

use crate::profile::Profile;
use crate::profiles::PROFILES;

/// The profiles that state most of what the store has and nothing that it lacks; none if that is no
/// more than the present one states. Several state the same of it: which store it is, only its
/// operator knows.
///
/// Only those that belong to no vendor's hosts come into question, beside Amazon's, which states all:
/// a store that behaves as one of the others still has its own limits.
pub(crate) fn better(present: &Profile, found: &[(Feature, bool)]) -> Vec<&'static Profile> {
    let general =
        |profile: &&Profile| profile.hosts.is_empty() || matches!(profile.name, "aws" | "minio" | "r2");
    let safe: Vec<_> = PROFILES.iter().filter(general).filter(|profile| is_safe(profile, found)).collect();
    let of = |profile: &Profile| stated(&profile.description(), found);
    let most = safe.iter().map(|profile| of(profile)).max().unwrap_or_default();
    if is_safe(present, found) && of(present) >= most {
        return Vec::new();
    }
    let best: Vec<_> = safe.into_iter().filter(|profile| of(profile) == most).collect();
    // The plainest, where it states as much.
    match best.iter().find(|profile| profile.name == Profile::GENERIC.name) {
        Some(generic) => vec![generic],
        None => best,
    }
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
        use Feature::{
            ConditionalComplete, ConditionalCopy, ConditionalDelete, ConditionalPut, UnequalParts,
        };
        let generic = &Profile::GENERIC;
        let unconditional = [ConditionalPut, ConditionalComplete, ConditionalDelete];
        let suggested = |present: &Profile, lacking: &[Feature]| {
            let names: Vec<_> = better(present, &found(lacking)).iter().map(|profile| profile.name).collect();
            names.join(" or ")
        };
        assert_eq!(suggested(generic, &[]), "aws");
        assert_eq!(suggested(generic, &[ConditionalComplete, ConditionalDelete]), "minio");
        assert_eq!(suggested(generic, &[ConditionalComplete, ConditionalDelete, UnequalParts]), "r2");
        assert_eq!(suggested(profile("aws").unwrap(), &[]), "");
        assert_eq!(suggested(profile("ceph").unwrap(), &unconditional), "");
        let all: Vec<_> = unconditional.into_iter().chain([UnequalParts]).collect();
        assert_eq!(suggested(generic, &all), "");
        assert_eq!(suggested(profile("aws").unwrap(), &all), "generic", "what is lacking is dangerous");
        // Ceph 16, which compares nothing when it copies: other stores are like it.
        let ceph = [ConditionalComplete, ConditionalDelete, ConditionalCopy];
        assert_eq!(suggested(generic, &ceph), "ceph or swift-s3api");
        assert_eq!(suggested(profile("ceph").unwrap(), &ceph), "");
    }
}

//! Conditions on generations, and the objects that they are about.

use super::refusal::{Answer, Refused};
use crate::call::Call;
use crate::store::{Bucket, State, StoredObject};

/// A bucket, which must be there.
pub(super) fn bucket<'a>(state: &'a mut State, name: &str) -> Answer<&'a mut Bucket> {
    state.buckets.get_mut(name).ok_or_else(Refused::no_bucket)
}

/// What a request demands of the object at a name.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    /// The generation that is asked for.
    generation: Option<u64>,
    matches: Option<u64>,
    differs: Option<u64>,
    metageneration: Option<u64>,
}

impl Conditions {
    /// Those of the JSON API, in the query.
    pub(super) fn of_query(call: &Call) -> Answer<Self> {
        Ok(Self {
            generation: number(call.parameter("generation"), "generation")?,
            matches: number(call.parameter("ifGenerationMatch"), "ifGenerationMatch")?,
            differs: number(call.parameter("ifGenerationNotMatch"), "ifGenerationNotMatch")?,
            metageneration: number(call.parameter("ifMetagenerationMatch"), "ifMetagenerationMatch")?,
        })
    }

    /// Those on the source of a copy.
    pub(super) fn of_source(call: &Call) -> Answer<Self> {
        Ok(Self {
            generation: number(call.parameter("sourceGeneration"), "sourceGeneration")?,
            matches: number(call.parameter("ifSourceGenerationMatch"), "ifSourceGenerationMatch")?,
            differs: number(call.parameter("ifSourceGenerationNotMatch"), "ifSourceGenerationNotMatch")?,
            metageneration: number(
                call.parameter("ifSourceMetagenerationMatch"),
                "ifSourceMetagenerationMatch",
            )?,
        })
    }

    /// Those of the XML API, in headers.
    pub(super) fn of_headers(call: &Call) -> Answer<Self> {
        Ok(Self {
            generation: number(call.parameter("generation"), "generation")?,
            matches: number(call.header("x-goog-if-generation-match"), "x-goog-if-generation-match")?,
            differs: None,
            metageneration: number(
                call.header("x-goog-if-metageneration-match"),
                "x-goog-if-metageneration-match",
            )?,
        })
    }

    /// The object, if it is the one that is meant.
    pub(super) fn read(&self, state: &mut State, name: &str, key: &str) -> Answer<StoredObject> {
        let found = bucket(state, name)?.objects.get(key).cloned();
        let object = found
            .filter(|object| self.generation.is_none_or(|generation| generation == object.generation))
            .ok_or_else(|| Refused::no_object(name, key))?;
        if self.matches.is_some_and(|generation| generation != object.generation)
            || self.metageneration.is_some_and(|number| number != object.metageneration)
        {
            return Err(Refused::condition());
        }
        if self.differs == Some(object.generation) {
            return Err(Refused::not_modified());
        }
        Ok(object)
    }

    /// Checks what is to be replaced: 0 is the generation of nothing.
    pub(super) fn write(&self, state: &mut State, name: &str, key: &str) -> Answer<()> {
        let current = bucket(state, name)?.objects.get(key);
        let generation = current.map_or(0, |object| object.generation);
        let metageneration = current.map_or(0, |object| object.metageneration);
        if self.matches.is_some_and(|wanted| wanted != generation)
            || self.differs == Some(generation)
            || self.metageneration.is_some_and(|wanted| wanted != metageneration)
        {
            return Err(Refused::condition());
        }
        Ok(())
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.matches.is_none() && self.differs.is_none() && self.metageneration.is_none()
    }
}

fn number(text: Option<&str>, name: &str) -> Answer<Option<u64>> {
    text.map(str::parse)
        .transpose()
        .map_err(|_| Refused::invalid(format!("Invalid value for {name}: it must be a number.")))
}

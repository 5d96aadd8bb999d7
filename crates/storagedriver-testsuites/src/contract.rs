//! The contract, sentence by sentence: the single source of the page `docs/contract.md`.

mod content;
mod names;
mod page;
mod paths;
mod writers;

pub use page::page;

/// One sentence of the contract.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Sentence {
    /// Its name, by which cases and drivers cite it; also the anchor in the page.
    pub id: &'static str,
    /// What holds.
    pub text: &'static str,
    /// Whether it asks for more than Distribution's drivers keep.
    pub stricter: bool,
    /// The test outside this suite that checks it, where no case can; what it checks if cases
    /// check a part.
    pub elsewhere: Option<&'static str>,
}

/// Sentences that belong together.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Section {
    /// The heading.
    pub title: &'static str,
    /// Its sentences, in the order of the page.
    pub sentences: &'static [Sentence],
}

/// The whole contract.
pub const SECTIONS: &[Section] = &[
    paths::PATHS,
    content::CONTENT,
    content::READERS,
    writers::WRITERS,
    writers::UPLOADS,
    names::LIST,
    names::WALK,
    names::RENAME,
    names::DELETE,
    names::CANCELLATION,
    names::ANSWERS,
];

/// The sentence of this id.
pub fn sentence(id: &str) -> Option<&'static Sentence> {
    SECTIONS.iter().flat_map(|section| section.sentences).find(|sentence| sentence.id == id)
}

const fn same(id: &'static str, text: &'static str) -> Sentence {
    Sentence { id, text, stricter: false, elsewhere: None }
}

const fn stricter(id: &'static str, text: &'static str) -> Sentence {
    Sentence { id, text, stricter: true, elsewhere: None }
}

impl Sentence {
    const fn checked_by(self, test: &'static str) -> Sentence {
        Sentence { elsewhere: Some(test), ..self }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::CASES;

    fn all() -> impl Iterator<Item = &'static Sentence> {
        SECTIONS.iter().flat_map(|section| section.sentences)
    }

    #[test]
    fn every_id_is_used_once_and_can_be_an_anchor() {
        let mut seen = HashSet::new();
        for sentence in all() {
            assert!(seen.insert(sentence.id), "{} is used twice", sentence.id);
            assert!(
                sentence.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
                "{}",
                sentence.id
            );
            assert!(sentence.text.ends_with('.'), "{} is no sentence", sentence.id);
        }
    }

    #[test]
    fn every_sentence_is_checked_by_a_case_or_says_where_else() {
        for sentence in all() {
            let checked = CASES.iter().any(|case| case.sentences.contains(&sentence.id));
            assert!(checked || sentence.elsewhere.is_some(), "nothing checks {}", sentence.id);
        }
    }

    #[test]
    fn no_case_names_a_sentence_that_is_not_there() {
        for case in CASES {
            assert!(!case.sentences.is_empty(), "{} checks no sentence", case.name);
            for id in case.sentences {
                assert!(sentence(id).is_some(), "{} names {id}", case.name);
            }
        }
    }

    #[test]
    fn every_case_has_a_name_of_its_own() {
        let mut seen = HashSet::new();
        for case in CASES {
            assert!(seen.insert(case.name), "{} is there twice", case.name);
        }
    }
}

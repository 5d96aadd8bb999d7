//! Which sentences of the contract a backend cannot keep.

use std::fmt;

macro_rules! guarantees {
    ($($(#[doc = $doc:literal])+ $variant:ident = $bit:literal, $name:literal;)+) => {
        /// A promise of the contract that not every backend can keep.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Guarantee {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Guarantee {
            /// Every guarantee, in the order of the enumeration.
            pub const ALL: &'static [Guarantee] = &[$(Guarantee::$variant),+];

            /// The name used in reports and across a process boundary: `durable`.
            pub fn as_str(self) -> &'static str {
                match self { $(Guarantee::$variant => $name),+ }
            }

            /// What is promised, in one sentence.
            pub fn sentence(self) -> &'static str {
                match self { $(Guarantee::$variant => concat!($($doc),+).trim_ascii()),+ }
            }

            const fn bit(self) -> u64 {
                match self { $(Guarantee::$variant => 1 << $bit),+ }
            }
        }
    };
}

guarantees! {
    /// What `put_content`, `commit`, `close` and `rename` acknowledged survives a crash of the process.
    Durable = 0, "durable";
    /// A second handle, made from the same parameters in another process, sees and resumes what the first wrote.
    Shared = 1, "shared";
    /// `put_content` and `commit` replace content atomically: a reader sees the old or the new content whole.
    AtomicReplace = 2, "atomic-replace";
    /// `rename` is one step: source and destination are never both there, and never both absent.
    AtomicRename = 3, "atomic-rename";
    /// An upload and the committed content of a path are independent: replacing or renaming one leaves the other as it is.
    IndependentUploads = 4, "independent-uploads";
    /// Of two writers that resumed the same upload, at most one can close or commit it.
    FencedUploads = 5, "fenced-uploads";
    /// A reader that was opened before an overwrite yields one version or fails; it never splices two.
    ConsistentReads = 6, "consistent-reads";
    /// An upload whose writer was lost can be committed with less than that writer had sent past the last close.
    ShorterResume = 7, "shorter-resume";
}

impl fmt::Display for Guarantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a backend keeps of the contract's harder promises.
///
/// This one value feeds the suite (a case for a lacking guarantee runs and expects the exception),
/// the conformance report and the driver's docs page.
///
/// ```
/// use storagedriver::{Guarantee, Guarantees};
///
/// let guarantees = Guarantees::FULL.without(Guarantee::AtomicRename);
/// assert!(!guarantees.has(Guarantee::AtomicRename));
/// assert!(guarantees.has(Guarantee::Durable));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Guarantees {
    lacking: u64,
}

impl Guarantees {
    /// The whole contract.
    pub const FULL: Guarantees = Guarantees { lacking: 0 };

    /// The same without one of them.
    #[must_use]
    pub const fn without(self, guarantee: Guarantee) -> Self {
        Guarantees { lacking: self.lacking | guarantee.bit() }
    }

    /// Whether it is kept.
    pub const fn has(self, guarantee: Guarantee) -> bool {
        self.lacking & guarantee.bit() == 0
    }

    /// What is not kept, in the order of the enumeration.
    pub fn lacking(self) -> impl Iterator<Item = Guarantee> {
        Guarantee::ALL.iter().copied().filter(move |&guarantee| !self.has(guarantee))
    }
}

impl fmt::Debug for Guarantees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lacking == 0 {
            return f.write_str("FULL");
        }
        f.write_str("FULL without ")?;
        f.debug_set().entries(self.lacking()).finish()
    }
}

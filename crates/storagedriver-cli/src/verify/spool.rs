//! Digests, sorted on disk.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Seek, Write};
use std::iter::Peekable;

use crate::registry::{Algorithm, Digest};

/// How many digests are sorted in memory at once: about 2 MB.
const BUFFER: usize = 32_768;
/// So many runs of one level are merged into one of the next: this bounds the files that are open.
const FAN: usize = 16;

/// Takes digests in any order and gives them back sorted, each once. Memory does not grow with
/// their number: they go to unnamed temporary files.
#[derive(Debug)]
pub(super) struct Spool {
    buffer: Vec<Digest>,
    limit: usize,
    /// Sorted runs; one of level n + 1 is made of [`FAN`] of level n.
    levels: Vec<Vec<File>>,
}

pub(super) fn write_digest(to: &mut impl Write, digest: &Digest) -> io::Result<()> {
    let number = Algorithm::ALL.iter().position(|&each| each == digest.algorithm()).unwrap_or_default();
    to.write_all(&[u8::try_from(number).unwrap_or_default()])?;
    to.write_all(digest.as_bytes())
}

/// The next digest; `None` at the end, and where a block is filled up.
pub(super) fn read_digest(from: &mut impl Read) -> io::Result<Option<Digest>> {
    let mut number = [0];
    match from.read_exact(&mut number) {
        Err(end) if end.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let broken = || io::Error::new(ErrorKind::InvalidData, "a temporary file does not hold what was written");
    let [number] = number;
    if number == u8::MAX {
        return Ok(None);
    }
    let algorithm = *Algorithm::ALL.get(usize::from(number)).ok_or_else(broken)?;
    let mut bytes = [0; 64];
    let place = bytes.get_mut(..algorithm.length()).ok_or_else(broken)?;
    from.read_exact(place)?;
    Digest::from_bytes(algorithm, place).ok_or_else(broken).map(Some)
}

fn write_run(digests: impl Iterator<Item = io::Result<Digest>>) -> io::Result<File> {
    let mut run = BufWriter::new(tempfile::tempfile()?);
    for digest in digests {
        write_digest(&mut run, &digest?)?;
    }
    let mut file = run.into_inner()?;
    file.rewind()?;
    Ok(file)
}

impl Spool {
    pub(super) fn new() -> Self {
        Spool::with_buffer(BUFFER)
    }

    fn with_buffer(limit: usize) -> Self {
        Spool { buffer: Vec::new(), limit, levels: Vec::new() }
    }

    pub(super) fn push(&mut self, digest: Digest) -> io::Result<()> {
        self.buffer.push(digest);
        if self.buffer.len() >= self.limit { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> io::Result<()> {
        self.buffer.sort_unstable();
        self.buffer.dedup();
        let mut run = write_run(self.buffer.drain(..).map(Ok))?;
        for level in &mut self.levels {
            level.push(run);
            if level.len() < FAN {
                return Ok(());
            }
            run = write_run(Sorted::of(std::mem::take(level), Vec::new())?)?;
        }
        self.levels.push(vec![run]);
        Ok(())
    }

    /// All that was taken, sorted, each once.
    pub(super) fn sorted(mut self) -> io::Result<Sorted> {
        self.buffer.sort_unstable();
        self.buffer.dedup();
        Sorted::of(self.levels.into_iter().flatten().collect(), self.buffer)
    }
}

/// Several sorted runs as one. It ends after an error.
#[derive(Debug)]
pub(super) struct Sorted {
    runs: Vec<Run>,
    /// The next digest of each run that has one.
    heads: BinaryHeap<Reverse<(Digest, usize)>>,
    last: Option<Digest>,
}

#[derive(Debug)]
enum Run {
    File(BufReader<File>),
    Memory(std::vec::IntoIter<Digest>),
}

impl Run {
    fn next(&mut self) -> io::Result<Option<Digest>> {
        match self {
            Run::File(file) => read_digest(file),
            Run::Memory(digests) => Ok(digests.next()),
        }
    }
}

impl Sorted {
    fn of(files: Vec<File>, memory: Vec<Digest>) -> io::Result<Self> {
        let files = files.into_iter().map(|file| Run::File(BufReader::new(file)));
        let mut runs: Vec<Run> = files.chain([Run::Memory(memory.into_iter())]).collect();
        let mut heads = BinaryHeap::new();
        for (number, run) in runs.iter_mut().enumerate() {
            heads.extend(run.next()?.map(|digest| Reverse((digest, number))));
        }
        Ok(Sorted { runs, heads, last: None })
    }

    fn advance(&mut self) -> io::Result<Option<Digest>> {
        while let Some(Reverse((digest, number))) = self.heads.pop() {
            if let Some(run) = self.runs.get_mut(number) {
                self.heads.extend(run.next()?.map(|next| Reverse((next, number))));
            }
            if self.last.replace(digest) != Some(digest) {
                return Ok(Some(digest));
            }
        }
        Ok(None)
    }
}

impl Iterator for Sorted {
    type Item = io::Result<Digest>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.advance() {
            Ok(digest) => digest.map(Ok),
            Err(error) => {
                self.heads.clear();
                Some(Err(error))
            }
        }
    }
}

/// How many of `all`, which are sorted, are not in `some`.
pub(super) fn missing(all: impl Iterator<Item = io::Result<Digest>>, some: Spool) -> io::Result<u64> {
    let mut count = 0_u64;
    let mut some: Peekable<Sorted> = some.sorted()?.peekable();
    for digest in all {
        let digest = digest?;
        while some.next_if(|other| other.as_ref().is_ok_and(|other| *other < digest)).is_some() {}
        match some.peek() {
            Some(Ok(other)) if *other == digest => {}
            Some(Err(_)) => return some.next().transpose().map(|_| count),
            _ => count += 1,
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn digest(seed: u16) -> Digest {
        let algorithm = Algorithm::ALL[usize::from(seed) % Algorithm::ALL.len()];
        Digest::of(algorithm, &seed.to_le_bytes())
    }

    fn spool(seeds: &[u16], buffer: usize) -> Spool {
        let mut spool = Spool::with_buffer(buffer);
        for &seed in seeds {
            spool.push(digest(seed)).unwrap();
        }
        spool
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn sorted_and_each_once(seeds in prop::collection::vec(0..300_u16, 0..600), buffer in 1..40_usize) {
            let sorted: Vec<Digest> = spool(&seeds, buffer).sorted().unwrap().map(Result::unwrap).collect();
            let model: BTreeSet<Digest> = seeds.iter().map(|&seed| digest(seed)).collect();
            prop_assert_eq!(sorted, model.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn the_difference_is_counted(
            all in prop::collection::vec(0..60_u16, 0..100),
            some in prop::collection::vec(0..60_u16, 0..100),
            buffer in 1..20_usize,
        ) {
            let sets = [&all, &some].map(|seeds| seeds.iter().copied().collect::<BTreeSet<u16>>());
            let counted = missing(spool(&all, buffer).sorted().unwrap(), spool(&some, buffer)).unwrap();
            prop_assert_eq!(counted, sets[0].difference(&sets[1]).count() as u64);
        }
    }

    #[test]
    fn open_files_stay_few() {
        let mut spool = Spool::with_buffer(1);
        for seed in 0..2000 {
            spool.push(digest(seed)).unwrap();
            assert!(spool.levels.iter().all(|level| level.len() < FAN));
        }
        assert!(spool.levels.len() <= 3);
        assert_eq!(spool.sorted().unwrap().count(), 2000);
    }
}

//! Addresses that stand twice in one file. The table of addresses is bounded, whatever the file's size: a larger file is read
//! several times, and each time a slice of its addresses counts, those whose digest falls into it.

use crate::clock::random;
use aws_lc_rs::hmac;
use std::collections::HashMap;

/// So many lines make one slice: a table of at most about a hundred megabytes.
const SLICE: u64 = 1_000_000;

/// What is known of a line's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sighting {
    /// Not seen before, or no address at all.
    New,
    /// Seen before, in this line.
    Before(u64),
    /// Not of this slice: another reading of the file takes it.
    AnotherTime,
}

/// The addresses of a slice.
pub(super) struct Seen {
    key: hmac::Key,
    slices: u64,
    /// From 1 on; 0 before the first.
    slice: u64,
    lines: HashMap<[u8; 16], u64>,
}

impl Seen {
    pub(super) fn new(lines: u64) -> Self {
        Self::with(lines, SLICE)
    }

    fn with(lines: u64, slice: u64) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &random::<32>());
        Self { key, slices: lines.div_ceil(slice).max(1), slice: 0, lines: HashMap::new() }
    }

    /// Goes on to the next slice, for which the file is to be read from its beginning; `false` after the last.
    pub(super) fn next_slice(&mut self) -> bool {
        self.lines.clear();
        self.slice += 1;
        self.slice <= self.slices
    }

    /// Looks at the address of a line. Lines without one are of the first slice.
    pub(super) fn look(&mut self, address: Option<&str>, line: u64) -> Sighting {
        let Some(address) = address else {
            return if self.slice == 1 { Sighting::New } else { Sighting::AnotherTime };
        };
        // Under a key of this run's: nobody can make a file whose addresses all fall into one slice.
        let tag = hmac::sign(&self.key, address.as_bytes());
        let (place, rest) = tag.as_ref().split_at(8);
        let place = u64::from_le_bytes(place.try_into().expect("eight bytes"));
        if place % self.slices + 1 != self.slice {
            return Sighting::AnotherTime;
        }
        let digest = rest[..16].try_into().expect("sixteen bytes");
        match self.lines.entry(digest) {
            std::collections::hash_map::Entry::Occupied(first) => Sighting::Before(*first.get()),
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(line);
                Sighting::New
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Seen, Sighting};

    /// A file of which every third address stands twice, read with a table for a seventh of its lines.
    #[test]
    fn import_takes_every_address_once_however_small_the_table() {
        let addresses: Vec<Option<String>> = (0..700)
            .map(|n| (n % 10 != 0).then(|| format!("user{}@example.com", if n % 3 == 0 { n - 1 } else { n })))
            .collect();
        let mut seen = Seen::with(addresses.len() as u64, 100);
        let mut sightings = vec![Vec::new(); addresses.len()];
        let mut largest = 0;
        while seen.next_slice() {
            for (line, address) in addresses.iter().enumerate() {
                let sighting = seen.look(address.as_deref(), line as u64);
                if sighting != Sighting::AnotherTime {
                    sightings[line].push(sighting);
                }
            }
            largest = largest.max(seen.lines.len());
        }
        for (line, address) in addresses.iter().enumerate() {
            let first = addresses.iter().position(|other| other == address).expect("at least itself");
            let expected =
                if address.is_none() || first == line { Sighting::New } else { Sighting::Before(first as u64) };
            assert_eq!(sightings[line], [expected], "line {line}");
        }
        assert!((20..200).contains(&largest), "{largest} in the table");
    }
}

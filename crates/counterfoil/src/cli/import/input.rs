//! The file as bytes: opened, its mark of byte order taken away, its lines counted.

use anyhow::{Context as _, bail};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;

/// The most bytes a line, or an account over several lines of CSV, may have.
pub(super) const MAX_LINE: usize = 16 * 1024;

/// A file, read through a buffer of fixed size.
pub(super) type Buffered = BufReader<Box<dyn Read + Send>>;

/// A file to be imported.
pub(super) struct Input(pub(super) Buffered);

impl Input {
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let cannot_read = || format!("cannot read {}", path.display());
        let file = File::open(path).with_context(cannot_read)?;
        // It is read several times: once to be counted, and once for each slice of its addresses.
        if !file.metadata().with_context(cannot_read)?.is_file() {
            bail!("{} is not a regular file; write what is to be imported to one", path.display());
        }
        Self::new(Box::new(file)).with_context(cannot_read)
    }

    pub(super) fn new(source: Box<dyn Read + Send>) -> anyhow::Result<Self> {
        let mut buffered = BufReader::with_capacity(64 * 1024, source);
        let start = buffered.fill_buf()?;
        if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
            bail!("it is UTF-16; save it as UTF-8");
        }
        if start.starts_with("\u{feff}".as_bytes()) {
            buffered.consume(3);
        }
        Ok(Self(buffered))
    }

    /// How many lines the file has, the last one counted whether it ends or not.
    pub(super) fn count_lines(path: &Path) -> anyhow::Result<u64> {
        let Self(mut input) = Self::open(path)?;
        let mut lines = 1;
        loop {
            let buffer = input.fill_buf()?;
            if buffer.is_empty() {
                return Ok(lines);
            }
            lines += buffer.split(|byte| *byte == b'\n').count() as u64 - 1;
            let length = buffer.len();
            input.consume(length);
        }
    }
}

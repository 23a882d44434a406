//! The yardstick of sign-in: Argon2id and nothing else, in a child pinned to the server's core.
//!
//! The child lives through the whole comparison and hashes in turns, as many times as a line on its standard input
//! says, so that no turn pays for starting a process or for touching the memory the first time.

use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use argon2::{Algorithm, Argon2, Block, Params, Version};

use crate::server::Process;
use crate::turns::{Side, Turn};

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The child's side: one line with a count in, one line with the nanoseconds it took out.
pub(crate) fn serve_turns() -> Result<()> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| anyhow!("argon2 parameters: {error}"))?;
    let mut memory = vec![Block::new(); params.block_count()];
    let argon2id = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let hashes: u32 = line?.trim().parse().context("a turn is a number of hashes")?;
        let start = Instant::now();
        for turn in 0..hashes {
            let mut salt = [0x5a_u8; 16];
            salt[..4].copy_from_slice(&turn.to_le_bytes());
            let mut tag = [0_u8; 32];
            argon2id
                .hash_password_into_with_memory(b"correct horse battery staple 42", &salt, &mut tag, &mut memory)
                .map_err(|error| anyhow!("argon2: {error}"))?;
            black_box(tag);
        }
        writeln!(out, "{}", start.elapsed().as_nanos())?;
        out.flush()?;
    }
    Ok(())
}

/// The parent's side: the raw loop as one side of a comparison.
#[derive(Debug)]
pub(crate) struct RawArgon2 {
    process: Process,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// Hashes per turn.
    pub(crate) hashes: u32,
}

impl RawArgon2 {
    /// Starts the loop on `core`, hashing `hashes` times per turn.
    pub(crate) fn start(core: usize, hashes: u32) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("argon2").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Process::spawn(core, &mut command, None)?;
        let input = process.take_stdin().context("the loop's input is piped")?;
        let output = process.take_stdout().context("the loop's output is piped")?;
        Ok(Self { process, input, output: BufReader::new(output), hashes })
    }

    /// Hashes once round and says how long it took. Blocks: nothing else may run meanwhile anyway.
    pub(crate) fn turn(&mut self) -> Result<Duration> {
        writeln!(self.input, "{}", self.hashes)?;
        self.input.flush()?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        let nanos = line.trim().parse().context("the raw loop did not answer with nanoseconds")?;
        Ok(Duration::from_nanos(nanos))
    }
}

impl Side for RawArgon2 {
    async fn take_turn(&mut self) -> Result<Turn> {
        let watch = self.process.watch()?;
        let elapsed = self.turn()?;
        let usage = watch.usage()?;
        Ok(Turn { value: f64::from(self.hashes) / elapsed.as_secs_f64(), usage, refused: 0, complaint: None })
    }
}

//! `make bench`: what counterfoil costs, measured against a bare axum "hello" and a raw Argon2id loop.
//!
//! The server under test owns one core and the load the other. The speed of a core drifts here by a factor of 1.8
//! within minutes, so no figure stands alone: A and B take turns in slices of at most a second, and what counts is the
//! ratio of their medians. One binary plays all parts; `hello` and `argon2` are the modes it starts itself in.

mod cpu;
mod hello;
mod http;
mod load;
mod options;
mod postgres;
mod raw_argon2;
mod report;
mod server;
mod stats;
mod subjects;
mod turns;

use std::process::ExitCode;

use anyhow::Result;
use options::Command;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("counterfoil-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A thousand guards are two thousand connections. Where it cannot be raised, the subject that needs it says so.
fn raise_file_limit() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit { current: limit.maximum, ..limit };
    if let Err(error) = rustix::process::setrlimit(rustix::process::Resource::Nofile, raised) {
        eprintln!("the limit of open files stays as it is: {error}");
    }
}

fn run() -> Result<()> {
    match Command::parse(std::env::args().skip(1))? {
        Command::Hello { listen } => hello::serve(listen),
        Command::Argon2 => raw_argon2::serve_turns(),
        Command::Measure(options) => {
            let cores = cpu::Cores::pick()?;
            cpu::pin_this_thread(cores.load)?;
            raise_file_limit();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let report = runtime.block_on(subjects::measure(&options, cores))?;
            report.publish(&options)
        }
    }
}

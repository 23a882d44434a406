//! Cores: which one serves, which one loads, how a child comes to live on its own, and how busy it is there.

use std::io;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// `/proc/PID/stat` counts in hundredths of a second, on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// The two cores of a measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cores {
    /// Whatever is measured runs here: counterfoil, hello or the raw Argon2id loop, one at a time.
    pub(crate) server: usize,
    /// The load generator runs here.
    pub(crate) load: usize,
}

impl Cores {
    /// The first two cores this process may use.
    pub(crate) fn pick() -> Result<Self> {
        let allowed = sched_getaffinity(None).context("cannot read the allowed cores")?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core));
        match (cores.next(), cores.next()) {
            (Some(server), Some(load)) => Ok(Self { server, load }),
            _ => bail!("the load and the server need a core each, and only one is allowed here"),
        }
    }
}

/// Keeps the calling thread, and whatever it starts from now on, on `core`.
pub(crate) fn pin_this_thread(core: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    Ok(sched_setaffinity(None, &set)?)
}

/// Starts `command` on `core`. The child inherits the affinity of a thread that exists only to start it, which unlike
/// `taskset` puts no second `exec` into a measured start-up.
pub(crate) fn spawn_on(core: usize, command: &mut Command) -> io::Result<Child> {
    std::thread::scope(|scope| {
        let spawner = scope.spawn(|| {
            pin_this_thread(core)?;
            command.spawn()
        });
        spawner.join().unwrap_or_else(|_| Err(io::Error::other("the spawning thread panicked")))
    })
}

/// A look at who uses the machine for a while.
#[derive(Debug)]
pub(crate) struct Watch {
    pid: u32,
    before: Times,
    start: Instant,
}

/// Who used how much while a watch lasted, each as a share of one core.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// The process watched.
    pub(crate) server: f64,
    /// This process, the load.
    pub(crate) load: f64,
    /// Everyone else: a compiler running meanwhile, the hypervisor taking its share, the kernel's own threads.
    pub(crate) others: f64,
}

#[derive(Debug)]
struct Times {
    server: Duration,
    load: Duration,
    machine: Duration,
}

impl Watch {
    /// Begins to watch the process `pid`.
    pub(crate) fn on(pid: u32) -> Result<Self> {
        Ok(Self { pid, before: Times::now(pid)?, start: Instant::now() })
    }

    /// What has been used since.
    pub(crate) fn usage(&self) -> Result<Usage> {
        let (now, length) = (Times::now(self.pid)?, self.start.elapsed().as_secs_f64());
        let share = |now: Duration, before: Duration| now.saturating_sub(before).as_secs_f64() / length;
        let server = share(now.server, self.before.server);
        let load = share(now.load, self.before.load);
        let others = share(now.machine, self.before.machine) - server - load;
        Ok(Usage { server, load, others })
    }
}

impl Times {
    fn now(pid: u32) -> Result<Self> {
        Ok(Self { server: time_used(pid)?, load: time_used(std::process::id())?, machine: machine_time()? })
    }
}

/// User and system time of all threads of a process.
fn time_used(pid: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may contain anything; the fields after it are numbers, `utime` the twelfth of them.
    let fields = stat.rsplit_once(')').context("no name in /proc/PID/stat")?.1;
    Ok(TICK * ticks(fields.split_whitespace().skip(11).take(2)))
}

/// All that is neither idle nor waiting for a disk, over all cores.
fn machine_time() -> Result<Duration> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let fields: Vec<_> = stat.split_whitespace().skip(1).take(8).collect();
    let [user, nice, system, _idle, _io_wait, irq, soft_irq, steal] = fields[..] else {
        bail!("/proc/stat has too few fields");
    };
    Ok(TICK * ticks([user, nice, system, irq, soft_irq, steal].into_iter()))
}

fn ticks<'a>(fields: impl Iterator<Item = &'a str>) -> u32 {
    fields.filter_map(|ticks| ticks.parse::<u32>().ok()).sum()
}

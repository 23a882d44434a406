//! An hour at seven tenths of what the server can do, on PostgreSQL: memory must not grow. People sign in and out meanwhile, so
//! that entries of the log come and go.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::latency::{OpenLoop, Tally, Timetable};
use super::overload::{WAITING, capacity};
use super::refresh::{self, RefreshClient};
use super::{Bench, FEW, login};
use crate::http::{Connection, Request};
use crate::postgres::Postgres;
use crate::report::{Reach, Row};
use crate::server::Authority;
use crate::stats::{Samples, figure};

const SESSIONS: u32 = 20_000;
const SHARE: f64 = 0.7;
/// Refreshes are begun and memory is looked at in slices of this length.
const SLICE: Duration = Duration::from_secs(10);
/// How often somebody signs in and out.
const EVERY: Duration = Duration::from_millis(500);
const MEGABYTE: f64 = 1e6;

/// What a slice showed.
struct Slice {
    resident: f64,
    served: usize,
    p99: f64,
    /// Until its last answer.
    seconds: f64,
    /// Answers that were not a new cookie.
    unserved: u64,
}

/// As many minutes as the options say.
pub(super) async fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let server = Postgres::start(bench.cores.server, bench.scratch)?;
    let site = bench.site("soak")?.without_grace().with("COUNTERFOIL__STORE__URL", &server.url("counterfoil"));
    let cookies = site.seed(FEW, SESSIONS, SESSIONS)?;
    let authority = site.serve()?;
    let clients = refresh::clients(&authority, WAITING, refresh::requests(authority.port, &cookies)).await?;
    let (capacity, clients) = capacity(&authority, clients).await?;
    let sessions = clients.into_iter().flat_map(RefreshClient::into_sessions).collect();
    let minutes = bench.options.minutes;
    let churn = tokio::spawn(come_and_go(authority.port, Connection::open(authority.address()).await?));
    let slices = soak(&authority, sessions, capacity * SHARE, Duration::from_mins(minutes.into())).await?;
    if churn.is_finished() {
        churn.await??;
        bail!("signing in and out ended early");
    }
    churn.abort();
    authority.process.stop()?;
    server.process.stop()?;
    rows(&slices, &format!("{minutes} min at {:.0} % of what refresh on PostgreSQL can do", SHARE * 100.0), capacity)
}

async fn soak(authority: &Authority, sessions: Vec<Request>, rate: f64, length: Duration) -> Result<Vec<Slice>> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some ten thousand a second")]
    let per_second = rate as u32;
    let timetable = Timetable { per_second, length: SLICE, connections: 2 * WAITING, exact: false, queues: true };
    let mut open = OpenLoop::at(timetable, authority, sessions).await?;
    let begun = Instant::now();
    let mut slices = Vec::new();
    while begun.elapsed() < length {
        let Tally { served, busy, refused, complaint, elapsed, .. } = open.follow().await?;
        if refused > 0 {
            eprintln!("\n  {refused} refused, first: {}", complaint.unwrap_or_default());
        }
        let resident = authority.process.resident_bytes()?;
        #[expect(clippy::cast_precision_loss, reason = "megabytes")]
        let resident = resident as f64 / MEGABYTE;
        let count = served.len();
        let p99 = Samples::new(served).context("nothing was served")?.percentile(99);
        eprint!(
            "\r  {:.0} of {} min, {per_second}/s: {} MB, p99 {} ms   ",
            begun.elapsed().as_secs_f64() / 60.0,
            length.as_secs() / 60,
            figure(resident),
            figure(p99)
        );
        let seconds = elapsed.as_secs_f64();
        slices.push(Slice { resident, served: count, p99, seconds, unserved: busy + refused });
    }
    eprintln!();
    Ok(slices)
}

/// Signs in and out, without end.
async fn come_and_go(port: u16, mut connection: Connection) -> Result<()> {
    for user in (0..FEW).cycle() {
        let answer = connection.call(login::request(port, user).bytes()).await?;
        let Some(access) = answer.cookie("__Host-cf_access").map(<[u8]>::to_vec) else {
            bail!("signing in: {}", answer.describe());
        };
        let access = String::from_utf8(access)?;
        let sign_out = Request::post(port, "/api/auth/logout", Some(("__Host-cf_access", &access)), None);
        let answer = connection.call(sign_out.bytes()).await?;
        if answer.status != 204 {
            bail!("signing out: {}", answer.describe());
        }
        tokio::time::sleep(EVERY).await;
    }
    Ok(())
}

/// The second sixth, when everything has been touched, against the last.
fn rows(slices: &[Slice], title: &str, capacity: f64) -> Result<Vec<Row>> {
    let sixth = slices.len() / 6;
    let (early, late) = (&slices[sixth..2 * sixth], &slices[slices.len() - sixth..]);
    let median = |slices: &[Slice], of: fn(&Slice) -> f64| {
        Samples::new(slices.iter().map(of).collect())
            .map(|samples| samples.median())
            .context("too short: six slices at least")
    };
    let (before, after) = (median(early, |slice| slice.resident)?, median(late, |slice| slice.resident)?);
    let unserved: u64 = slices.iter().map(|slice| slice.unserved).sum();
    let served: usize = slices.iter().map(|slice| slice.served).sum();
    let seconds: f64 = slices.iter().map(|slice| slice.seconds).sum();
    #[expect(clippy::cast_precision_loss, reason = "millions")]
    let notes = format!("{served} refreshes served, {unserved} not; {:.0} a second", served as f64 / seconds);
    let resident = Samples::new(slices.iter().map(|slice| slice.resident).collect()).context("no slice")?;
    Ok(vec![
        Row::figure(format!("{title}: that, by clients that wait"), "/s", capacity, None),
        Row::figure(
            format!("{title}: memory in the last sixth against the second"),
            "",
            after / before,
            Some(Reach::AtMost(1.05)),
        )
        .noting(notes),
        Row::samples(format!("{title}: resident memory"), " MB", &resident, None),
        Row::figure(format!("{title}: p99, second sixth"), " ms", median(early, |slice| slice.p99)?, None),
        Row::figure(format!("{title}: p99, last sixth"), " ms", median(late, |slice| slice.p99)?, None),
    ])
}

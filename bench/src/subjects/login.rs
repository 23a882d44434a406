//! `POST /api/auth/login` against Argon2id alone: everything but the hash must cost next to nothing.

use std::time::Duration;

use anyhow::Result;

use super::{Bench, PASSWORD};
use crate::http::{Answer, Request};
use crate::load::{ClosedLoop, Rounds, Until, walkers};
use crate::raw_argon2::RawArgon2;
use crate::report::{Reach, Row};
use crate::turns::alternate;

const USERS: u32 = 256;
/// Enough that one is always hashing while another waits for the disk; more would only queue.
const CLIENTS: u32 = 4;
/// A slice counts hashes, since 20 of them in a fixed time would be too coarse for 5 %. It is cut to this length, which
/// leaves room for a core that slows down meanwhile.
const SLICE: Duration = Duration::from_millis(600);

/// Sign-ins of existing users.
pub(super) async fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let site = bench.site("login")?;
    site.seed(USERS, 1, 0)?;
    let authority = site.serve()?;
    let mut raw = RawArgon2::start(bench.cores.server, CLIENTS)?;
    let hashes = hashes_per_slice(&mut raw)?;
    raw.hashes = hashes;
    let requests = (0..USERS).map(|user| request(authority.port, user)).collect();
    let clients = walkers(&authority, CLIENTS as usize, requests, Rounds::Endless, is_signed_in).await?;
    let mut ours = ClosedLoop::new(&authority.process, clients, Until::Count(hashes.into()));
    let comparison = alternate("login", bench.options.slices, &mut ours, &mut raw).await?;
    authority.process.stop()?;
    let title = "POST /api/auth/login against raw Argon2id (19,456 KiB, t=2, p=1)";
    Ok(vec![Row::comparison(title, "/s", &comparison, Some(Reach::AtLeast(0.95)))])
}

/// A multiple of the clients, so that none idles at the end of a slice.
fn hashes_per_slice(raw: &mut RawArgon2) -> Result<u32> {
    raw.turn()?;
    let per_round = raw.turn()?;
    let rounds = (1..64).take_while(|&rounds| per_round * rounds <= SLICE).last().unwrap_or(1);
    Ok(rounds * CLIENTS)
}

/// One of the seeded users signs in.
pub(super) fn request(port: u16, user: u32) -> Request {
    let body = format!(r#"{{"email":"user{user}@bench.example","password":"{PASSWORD}"}}"#);
    Request::post(port, "/api/auth/login", None, Some(&body))
}

fn is_signed_in(answer: &Answer<'_>) -> bool {
    answer.status == 200 && answer.cookie("__Host-cf_access").is_some()
}

//! Sizes: the binary, the memory of an idle server with nothing in its store, and the default access token.

use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Bench, PASSWORD};
use crate::http::{Connection, Request};
use crate::report::{Reach, Row};
use crate::server::Authority;
use crate::stats::float;

/// What a server does at leisure after its start is part of its idle memory.
const SETTLE: Duration = Duration::from_secs(2);
const MEGABYTE: f64 = 1e6;

/// The three sizes.
pub(super) async fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let binary = float(std::fs::metadata(&bench.options.server)?.len()) / MEGABYTE;
    let site = bench.site("footprint")?;
    let authority = site.serve()?;
    std::thread::sleep(SETTLE);
    let idle = float(authority.process.resident_bytes()?) / MEGABYTE;
    let token = access_token_bytes(&authority).await?;
    authority.process.stop()?;
    Ok(vec![
        Row::figure("release binary", " MB", binary, Some(Reach::Below(30.0))),
        Row::figure("resident memory, idle, empty store", " MB", idle, Some(Reach::Below(25.0))),
        Row::figure("default access token", " bytes", token, Some(Reach::Below(512.0))),
    ])
}

/// Registers and signs in as anyone would, and weighs the cookie.
async fn access_token_bytes(authority: &Authority) -> Result<f64> {
    let mut connection = Connection::open(authority.address()).await?;
    let body = format!(r#"{{"email":"someone@bench.example","password":"{PASSWORD}"}}"#);
    let register = Request::post(authority.port, "/api/auth/register", None, Some(&body));
    let answer = connection.call(register.bytes()).await?;
    if answer.status != 201 {
        bail!("registration answered {}", answer.describe());
    }
    let login = Request::post(authority.port, "/api/auth/login", None, Some(&body));
    let answer = connection.call(login.bytes()).await?;
    let token = answer.cookie("__Host-cf_access");
    let token = token.with_context(|| format!("signing in set no access cookie: {}", answer.describe()))?;
    Ok(float(token.len() as u64))
}

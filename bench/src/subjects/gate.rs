//! `GET /gate`: the question a proxy asks before every request, with a token for the application behind.

use anyhow::{Context, Result, ensure};

use super::{Bench, FEW, PASSWORD};
use crate::http::{Connection, Request};
use crate::load::{CONNECTIONS, ClosedLoop, Rounds, walkers};
use crate::report::{Reach, Row};
use crate::server::Site;
use crate::turns::alternate;

const ASKED: &str = "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Host: localhost\r\nX-Original-Method: GET\r\nX-Original-URI: /orders\r\n";
/// Sign-ins of the opaque profile; each costs a password hash.
const OPAQUE: u32 = 64;

/// By access token, and by session token.
pub(super) async fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let site = guarded(bench.site("gate")?);
    let seeded = site.seed(FEW, FEW, FEW)?;
    let requests = |port: u16| {
        let ask = |access: &str| Request::get(port, "/gate", Some(("__Host-cf_access", access))).with(ASKED);
        seeded.iter().map(|cookies| ask(&cookies.access)).collect()
    };
    let by_access = compare(bench, &site, async |port| Ok(requests(port)), "cookie profile").await?;
    let site = guarded(bench.site("gate-opaque")?).with("COUNTERFOIL__APPLICATIONS__WEB__PROFILE", "opaque");
    site.seed_users(OPAQUE)?;
    let by_session = compare(bench, &site, sign_in_all, "opaque profile").await?;
    Ok(vec![by_access, by_session])
}

fn guarded(site: Site) -> Site {
    site.with("COUNTERFOIL__TRUSTED_PROXIES", r#"["127.0.0.1/32"]"#)
        .with("COUNTERFOIL__GATE__UPSTREAM_AUDIENCE", "behind")
}

async fn compare(
    bench: &Bench<'_>,
    site: &Site,
    requests: impl AsyncFn(u16) -> Result<Vec<Request>>,
    words: &str,
) -> Result<Row> {
    let authority = site.serve()?;
    let requests = requests(authority.port).await?;
    let allowed = |answer: &crate::http::Answer<'_>| answer.status == 200;
    let clients = walkers(&authority, CONNECTIONS, requests, Rounds::Endless, allowed).await?;
    let mut ours = ClosedLoop::new(&authority.process, clients, bench.timed());
    let comparison = alternate("gate", bench.options.slices, &mut ours, &mut bench.hello().await?).await?;
    authority.process.stop()?;
    let title = format!("GET /gate, {words}, hand-off token included");
    Ok(Row::comparison(title, "/s", &comparison, Some(Reach::AtLeast(0.5))))
}

async fn sign_in_all(port: u16) -> Result<Vec<Request>> {
    let mut connection = Connection::open(([127, 0, 0, 1], port).into()).await?;
    let mut requests = Vec::new();
    for user in 0..OPAQUE {
        let body = format!(r#"{{"email":"user{user}@bench.example","password":"{PASSWORD}"}}"#);
        let login = Request::post(port, "/api/auth/login", None, Some(&body));
        let answer = connection.call(login.bytes()).await?;
        ensure!(answer.status == 200, "sign-in: {}", answer.describe());
        let token = answer.cookie("__Host-cf_session").context("no session cookie")?;
        let token = std::str::from_utf8(token)?;
        requests.push(Request::get(port, "/gate", Some(("__Host-cf_session", token))).with(ASKED));
    }
    Ok(requests)
}

//! Every way of ending access × every kind of verifier, also those that others have written: what each is told, and what it does then. Of
//! what is seen here `docs/reference/revocation-reach.md` is made, so that it says nothing that is not so.

use crate::matrix::{ACCESS, CONFIG, Effect, TABLE, Way, World, jti, part};
use crate::readers::{eventually, read};
use crate::ssf::{Hub, event};
use crate::status_lists::statuses;
use crate::support::{Redis, TestApp};
use counterfoil::clock::Clock as _;
use counterfoil::config::Config;
use counterfoil::flow::publish_status::publish;
use counterfoil_core::ssf::event::EventType;
use counterfoil_guard::{KeySet, LEEWAY_SECONDS, Refusal, Timestamp, Verifier};
use redis::{Commands as _, Connection};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const PAGE: &str = include_str!("../../../../docs/reference/revocation-reach.md");

/// Set it to have the page written anew.
const WRITE: &str = "COUNTERFOIL_WRITE_REACH";

/// What is seen of one way, by the place where it is.
type Seen = BTreeMap<&'static str, String>;

fn config(redis: &Redis, number: usize, mail: bool) -> String {
    let mail = if mail { "[mail]\noutbox = true\nnotices = false\n" } else { "" };
    format!(
        "{CONFIG}\n[applications.web]\nstatus_list = true\n[status_lists]\nsize = 1024\n{mail}\
         [redis_mirror]\nurl = \"redis://127.0.0.1:{}\"\nprefix = \"{number}_\"\n\
         [ssf]\nenabled = true\n[clients.hub.resources]\nssf = [\"ssf.manage\", \"ssf.read\"]\n",
        redis.port
    )
}

/// What the list that the token names says of it.
async fn in_status_list(app: &TestApp, token: &str) -> String {
    publish(&app.app).await.unwrap();
    let index = part(token, 1)["status"]["status_list"]["idx"].as_u64().unwrap();
    let list = app.browser().get("/status-lists/1").await.text;
    let status = statuses(&list)[usize::try_from(index).unwrap()];
    if status == 0 { "valid" } else { "invalid" }.to_owned()
}

/// Which key of the mirror hits the token, or the session; once the mirror says that everything is there.
fn in_mirror(app: &TestApp, redis: &mut Connection, (prefix, sid, token): (&str, &str, Option<&str>)) -> String {
    let complete = |word: &String| word.starts_with("ready ") && word.ends_with(&format!(" {}", app.app.feed.head()));
    eventually("the mirror is complete", || redis.get(format!("{prefix}mirror")).ok().filter(complete));
    let mut keys = vec![("session", sid.to_owned()), ("stale", format!("stale_{sid}"))];
    if let Some(token) = token {
        keys.push(("token", jti(token)));
        keys.push(("key", format!("key_{}", part(token, 0)["kid"].as_str().unwrap())));
    }
    let hits = keys.into_iter().filter(|(_, key)| redis.exists(format!("{prefix}{key}")).unwrap());
    hits.map(|(word, _)| word).collect::<Vec<_>>().join(" ")
}

/// The events about this session, or about its user, by their words.
fn in_stream(sets: &[Value], sid: &str) -> String {
    let about = |set: &&Value| set["sub_id"]["session"]["id"].as_str().is_none_or(|id| id == sid);
    let mut words: Vec<String> = sets.iter().filter(about).map(|set| event(set).0).collect();
    words.sort();
    words.dedup();
    words.join(" ")
}

/// What a verifier that follows nothing says, which knows the key set as it is now.
fn with_nothing_but_exp(app: &TestApp, token: &str, at: Timestamp) -> Result<(), Refusal> {
    let keys = KeySet::from_jwks(&app.app.keyring().jwks).unwrap();
    Verifier::new(app.app.public.issuer(), "web", keys).verify(token, at).map(|_| ())
}

async fn look(way: Way, application: &str, (redis, number): (&Redis, usize)) -> Seen {
    let app = read(&config(redis, number, way == Way::PasswordReset)).await;
    let mut world = World::new(&app, application).await;
    let hub = Hub::new(&app).await;
    let stream = hub.stream(json!({})).await;
    app.pass(1);
    let before = world.cursor().await;
    world.go(way).await;
    // Its own token may have been of the key that is no more.
    let hub = Hub::again(&app).await;
    let token = world.copy.cookie(ACCESS);
    let mut seen = Seen::new();
    seen.insert("stream", in_stream(&hub.drain(&stream).await, &world.sid));
    let prefix = format!("{number}_");
    let mut connection = redis.connect();
    seen.insert("mirror", in_mirror(&app, &mut connection, (&prefix, &world.sid, token.as_deref())));
    if let Some(token) = &token {
        seen.insert("status list", in_status_list(&app, token).await);
        let now = app.clock.now();
        let verdict = |at| with_nothing_but_exp(&app, token, at).err().map_or("alive", Refusal::code).to_owned();
        seen.insert("exp", verdict(now));
        let lifetime = app.app.config.session.access_lifetime.0;
        let over = now.plus(lifetime).plus(std::time::Duration::from_secs(u64::try_from(LEEWAY_SECONDS).unwrap()));
        let late = verdict(over);
        assert!(late == "token_expired" || late == "token_invalid", "{way:?}: {late}");
    }
    seen.extend(world.look(&before).await);
    seen
}

/// What must be seen of what others have written.
fn expected(way: Way, effect: Effect) -> [(&'static str, &'static str); 4] {
    let stream = match (way, effect) {
        (Way::Ban, _) => "account-disabled session-revoked",
        (Way::DeleteAccount | Way::AdminDeletes, _) => "account-purged session-revoked",
        (Way::PasswordChange | Way::PasswordReset | Way::AdminResetsFactors, _) => "credential-change session-revoked",
        (_, Effect::Ends(_)) => "session-revoked",
        (_, Effect::Stale) => "token-claims-change",
        (_, Effect::OneToken | Effect::KeyGone) => "",
    };
    let (mirror, list, exp) = match effect {
        Effect::Ends(_) => ("session", "invalid", "alive"),
        Effect::Stale => ("stale", "invalid", "alive"),
        Effect::OneToken => ("token", "valid", "alive"),
        Effect::KeyGone => ("key", "valid", "token_invalid"),
    };
    [("stream", stream), ("mirror", mirror), ("status list", list), ("exp", exp)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_revocation_reaches_is_what_the_page_says() {
    let redis = Redis::start();
    let (mut wrong, mut rows, mut number) = (Vec::new(), Vec::new(), 0);
    for (way, effect, cookie, opaque) in TABLE {
        let mut of_way = Vec::new();
        for (application, _) in [("web", cookie), ("classic", opaque)].into_iter().filter(|(_, there_is)| *there_is) {
            number += 1;
            let seen = look(way, application, (&redis, number)).await;
            for (place, must) in expected(way, effect) {
                // What hits the token alone is nothing to a session that has none.
                let of_token = application == "classic" && (place == "mirror" && effect == Effect::KeyGone);
                if !of_token && seen.get(place).is_some_and(|found| found != must) {
                    wrong.push(format!("{way:?} of {application}, {place}: {}, not {must}", seen[place]));
                }
            }
            of_way.push(seen);
        }
        rows.push((way, of_way));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let page = page(&rows);
    if std::env::var_os(WRITE).is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/revocation-reach.md");
        std::fs::write(path, &page).unwrap();
        return;
    }
    assert!(
        page == PAGE,
        "the page is not what is seen; write it anew: {WRITE}=1 cargo nextest run -E 'test(reach)'\n{page}"
    );
}

/// The way in words, and what it ends.
const fn words(way: Way) -> &'static str {
    match way {
        Way::SignOut => "sign-out",
        Way::DeleteRefresh => "sign-out by the refresh cookie",
        Way::EndOne => "ended from another device",
        Way::EndOthers => "all others ended",
        Way::SignOutEverywhere => "sign-out everywhere",
        Way::PasswordChange => "password changed",
        Way::PasswordReset => "password reset by mail",
        Way::Ban => "account banned",
        Way::AdminEndsUser => "all ended by an administrator",
        Way::AdminEndsSession => "one ended by an administrator",
        Way::AdminResetsFactors => "factors reset by an administrator",
        Way::DeleteAccount => "account deleted by its user",
        Way::AdminDeletes => "account deleted by an administrator",
        Way::SessionLimit => "too many sessions",
        Way::RefreshReuse => "stolen refresh token used",
        Way::RevokeRefresh => "RFC 7009, refresh token",
        Way::RevokeSession => "RFC 7009, session token",
        Way::RevokeAccess => "RFC 7009, access token alone",
        Way::RevokeKey => "signing key revoked",
        Way::RolesChanged => "roles changed",
    }
}

/// A cell of a verifier of ours: what it answers from then on.
fn refused(seen: Option<&String>) -> String {
    match seen.map(String::as_str) {
        None => "",
        Some("alive") => "–",
        Some("no reason") => "not active",
        Some(code) => code,
    }
    .to_owned()
}

fn page(rows: &[(Way, Vec<Seen>)]) -> String {
    let mut text = head();
    for (way, of_way) in rows {
        let of = |place: &str| of_way.iter().find_map(|seen| seen.get(place));
        let row = [
            refused(of("refresh")),
            refused(of("session token at the gate")),
            refused(of("access token at the gate")),
            refused(of("access token at introspection")),
            refused(of("access token at a guard")),
            match of("status list").map(String::as_str) {
                Some("invalid") => "invalid".to_owned(),
                Some(_) if of("exp").is_some_and(|exp| exp != "alive") => "key gone".to_owned(),
                Some(_) => "–".to_owned(),
                None => String::new(),
            },
            of("stream")
                .map(|words| if words.is_empty() { "–".to_owned() } else { words.replace(' ', ", ") })
                .unwrap_or_default(),
            of("mirror").filter(|word| !word.is_empty()).cloned().unwrap_or_else(|| "–".to_owned()),
            match of("exp").map(String::as_str) {
                Some("alive") => "–".to_owned(),
                Some(_) => "key gone".to_owned(),
                None => String::new(),
            },
        ];
        writeln!(text, "| {} | {} |", words(*way), row.join(" | ")).unwrap();
    }
    text.push_str(&foot());
    text
}

fn head() -> String {
    let config = Config::load(None, std::iter::empty()).unwrap();
    let (bound, life) = (config.revocation.max_staleness, config.session.access_lifetime);
    let ttl = config.status_lists.ttl;
    format!(
        "# What a revocation reaches, and within what time\n\n\
         Made by `tests/it/reach.rs`, which goes each way and looks at each place; a cell is what was seen there. Times are those of the defaults.\n\n\
         | kind of verifier | learns of it | within | and if it does not |\n|---|---|---|---|\n\
         | this server, [its gate](../guides/gate.md) | it is there | at once; at another replica {bound} | a replica that does not know the log accepts nothing |\n\
         | [introspection](../guides/introspection.md) | asks each time | at once | no answer is not a yes |\n\
         | [guard](../guides/guards.md), pushed | follows the feed | milliseconds; {bound} whatever happens | it refuses: its lease is over |\n\
         | [status list](../guides/status-lists.md) (ours or another's) | fetches a list | {ttl}, and 2s for publishing | it refuses when the list is over |\n\
         | [event stream](../guides/event-streams.md) (CAEP, RISC) | is told, or fetches | seconds; no bound | nothing is lost: it is told when it is there again |\n\
         | [Redis mirror](../guides/redis-mirror.md) | looks a key up | milliseconds; no bound | 30s, if it checks the sentinel |\n\
         | nothing but `exp` | never | {life} and {LEEWAY_SECONDS}s of leeway | |\n\n\
         A [receipt](../guides/guards.md) (`?receipt=effective`) waits for the first three kinds and says so; it knows nothing of the others.\n\n\
         ## Way by way\n\n\
         A code is what the verifier answers from then on. `invalid`: the bit of the session is set. – : it is not reached, and the token counts until its `exp`. `key gone`: the \
         key set has the key no more, which a verifier knows within 300s, the `max-age` of the key set.\n\n\
         | way | refresh token | session token, gate | access token: gate | introspection | guard | status list | event stream | Redis mirror | nothing but `exp` |\n\
         |---|---|---|---|---|---|---|---|---|---|\n"
    )
}

fn foot() -> String {
    let types: Vec<String> = EventType::TRANSMITTED.iter().map(|kind| format!("`{}`", kind.name())).collect();
    format!(
        "\nAn empty cell: there is no such token in that way. Session tokens are of the profile `opaque`; they are not touched by a revoked access token, a key, or roles, because they say \
         none of it. Who is told by [back-channel logout](../guides/back-channel-logout.md) is told of the same sessions as event streams are by `session-revoked`. \
         An event of an [upstream](../guides/event-streams.md#be-told-by-an-identity-provider) is like a ban, or like all ended by an administrator.\n\n\
         Event streams are told of: {}.\n",
        types.join(", ")
    )
}

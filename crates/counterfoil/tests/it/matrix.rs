//! Every way of ending access × every place where it must show (design section 6), in one table. A cell that is wrong is named
//! by its way and its place; all cells are looked at before the test fails.

use crate::control::ask;
use crate::feed::Follower;
use crate::oauth::{credential, introspect, send, sign_in_to};
use crate::support::{Browser, EMAIL, PASSWORD, TestApp};
use Effect::{Ends, KeyGone, OneToken, Stale};
use Way::{
    AdminDeletes, AdminEndsSession, AdminEndsUser, AdminResetsFactors, Ban, DeleteAccount, DeleteRefresh, EndOne,
    EndOthers, PasswordChange, PasswordReset, RefreshReuse, RevokeAccess, RevokeKey, RevokeRefresh, RevokeSession,
    RolesChanged, SessionLimit, SignOut, SignOutEverywhere,
};
use counterfoil_guard::{Algorithm, Refusal, base64url_decode};
use http::Method;
use serde_json::{Value, json};

pub(crate) const CONFIG: &str =
    "trusted_proxies = [\"203.0.113.7/32\"]\n[session]\nmax_per_user = 2\n[applications.classic]\nprofile = \"opaque\"";
pub(crate) const ACCESS: &str = "__Host-cf_access";
const REFRESH: &str = "__Secure-cf_refresh";
const SESSION: &str = "__Host-cf_session";

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Way {
    SignOut,
    DeleteRefresh,
    EndOne,
    EndOthers,
    SignOutEverywhere,
    PasswordChange,
    PasswordReset,
    Ban,
    AdminEndsUser,
    AdminEndsSession,
    AdminResetsFactors,
    DeleteAccount,
    AdminDeletes,
    SessionLimit,
    RefreshReuse,
    RevokeRefresh,
    RevokeSession,
    RevokeAccess,
    RevokeKey,
    RolesChanged,
}

/// What a way does to the session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Effect {
    /// It is over, and its user is told this.
    Ends(&'static str),
    /// One access token is over; the session goes on.
    OneToken,
    /// Access tokens are outdated; a refresh mends it.
    Stale,
    /// The key that signed its access tokens is no more; a refresh mends it.
    KeyGone,
}

/// (way, what it does, whether there is such a thing in a session of the `cookie` profile, and of the `opaque` profile)
pub(crate) const TABLE: [(Way, Effect, bool, bool); 20] = [
    (SignOut, Ends("signed_out"), true, true),
    (DeleteRefresh, Ends("signed_out"), true, false),
    (EndOne, Ends("ended_by_you"), true, true),
    (EndOthers, Ends("ended_by_you"), true, true),
    (SignOutEverywhere, Ends("ended_by_you"), true, true),
    (PasswordChange, Ends("password_changed"), true, true),
    (PasswordReset, Ends("password_changed"), true, true),
    (Ban, Ends("ended_by_admin"), true, true),
    (AdminEndsUser, Ends("ended_by_admin"), true, true),
    (AdminEndsSession, Ends("ended_by_admin"), true, true),
    (AdminResetsFactors, Ends("ended_by_admin"), true, true),
    (DeleteAccount, Ends("deleted"), true, true),
    (AdminDeletes, Ends("deleted"), true, true),
    (SessionLimit, Ends("session_limit"), true, true),
    (RefreshReuse, Ends("suspected_theft"), true, false),
    (RevokeRefresh, Ends("signed_out"), true, false),
    (RevokeSession, Ends("signed_out"), false, true),
    (RevokeAccess, OneToken, true, false),
    (RevokeKey, KeyGone, true, true),
    (RolesChanged, Stale, true, true),
];

/// Somebody signed in on two devices, a guard, and a program that introspects.
pub(crate) struct World<'a> {
    app: &'a TestApp,
    /// The device that is to lose its access.
    device: Browser,
    /// A copy of all it held just before.
    pub(crate) copy: Browser,
    /// The same user's other device.
    other: Browser,
    pub(crate) user: String,
    pub(crate) sid: String,
    guard: Follower<'a>,
    introspector: String,
}

impl<'a> World<'a> {
    pub(crate) async fn new(app: &'a TestApp, application: &str) -> Self {
        app.pass(6);
        // Where mail is sent nobody registers without a link.
        if app.app.mail.is_some() {
            let account = json!({ "email": EMAIL, "password": PASSWORD });
            assert_eq!(ask(app, "POST", "/api/admin/users", Some(account)).await.0, 201);
        }
        let (mut device, _) = sign_in_to(app, application).await;
        app.pass(1);
        let (other, _) = sign_in_to(app, "web").await;
        let me = device.me().await.json();
        let id = |of: &str| me[of]["id"].as_str().unwrap().to_owned();
        let (guard, introspector) = (Follower::new(app, "api").await, credential(app, "introspector").await);
        Self { app, copy: device.clone(), device, other, user: id("user"), sid: id("session"), guard, introspector }
    }

    async fn administer(&self, method: &str, path: &str, body: Value) {
        let (status, answer) = ask(self.app, method, path, Some(body)).await;
        assert_eq!(status, 204, "{path}: {answer}");
    }

    async fn revoke(&self, application: &str, cookie: &str) -> u16 {
        let body = format!("client_id={application}&token={}", self.device.cookie(cookie).unwrap());
        send(self.app, "/oauth/revoke", "", &body).await.status.as_u16()
    }

    pub(crate) async fn go(&mut self, way: Way) {
        let (user, sid) = (format!("/api/admin/users/{}", self.user), self.sid.clone());
        let done = match way {
            SignOut => self.device.post("/api/auth/logout").await.status.as_u16(),
            DeleteRefresh => self.device.delete("/api/auth/refresh").await.status.as_u16(),
            EndOne => self.other.delete(&format!("/api/auth/sessions/{sid}")).await.status.as_u16(),
            EndOthers => self.other.delete("/api/auth/sessions").await.status.as_u16(),
            SignOutEverywhere => self.other.post("/api/auth/logout-all").await.status.as_u16(),
            PasswordChange => {
                let body = json!({ "current_password": PASSWORD, "new_password": "staple battery horse correct" });
                self.other.post_json("/api/auth/password/change", &body).await.status.as_u16()
            }
            PasswordReset => {
                let body = json!({ "token": self.reset_link().await, "new_password": PASSWORD });
                self.app.browser().post_json("/api/auth/password/reset", &body).await.status.as_u16()
            }
            Ban => return self.administer("POST", &format!("{user}/ban"), json!({ "reason": "spam" })).await,
            AdminEndsUser => return self.administer("POST", &format!("{user}/revoke"), json!({})).await,
            AdminEndsSession => {
                return self.administer("POST", &format!("/api/admin/sessions/{sid}/revoke"), json!({})).await;
            }
            AdminResetsFactors => return self.administer("POST", &format!("{user}/reset"), json!({})).await,
            DeleteAccount => self.other.delete("/api/auth/account").await.status.as_u16(),
            AdminDeletes => return self.administer("DELETE", &user, Value::Null).await,
            RevokeKey => {
                let kid = self.app.app.keyring().signing(Algorithm::EdDsa).kid().clone();
                return self.administer("POST", &format!("/api/admin/keys/{kid}/revoke"), json!({})).await;
            }
            RolesChanged => {
                return self.administer("PUT", &format!("{user}/roles"), json!({ "roles": ["editor"] })).await;
            }
            SessionLimit => self.app.browser().sign_in(EMAIL).await.status.as_u16(),
            RefreshReuse => {
                let mut thief = self.device.clone();
                self.device.refresh().await;
                self.copy = self.device.clone();
                self.app.pass(31);
                self.guard.poll().await.unwrap();
                assert_eq!(thief.refresh().await.code(), "refresh_reuse");
                200
            }
            RevokeRefresh => self.revoke("web", REFRESH).await,
            RevokeSession => self.revoke("classic", SESSION).await,
            RevokeAccess => self.revoke("web", ACCESS).await,
        };
        assert!(done == 200 || done == 204, "{way:?}: {done}");
    }

    /// The token of a link to choose another password.
    async fn reset_link(&self) -> String {
        self.app.browser().post_json("/api/auth/password/forgot", &json!({ "email": EMAIL })).await;
        let outbox = self.app.app.mail.as_ref().unwrap().outbox().unwrap();
        let find = || {
            let mut letters = outbox.all().into_iter();
            letters.find_map(|letter| {
                let rest = letter.plain.expose().split_once("/mail/reset#")?.1.to_owned();
                Some(rest.split_whitespace().next().unwrap().to_owned())
            })
        };
        outbox.count().wait_for(|_| find().is_some()).await.unwrap();
        find().unwrap()
    }

    /// What can be observed at every place, as words. A refresh comes last, because it changes what it looks at.
    pub(crate) async fn look(&mut self, before: &str) -> Vec<(&'static str, String)> {
        let mut seen = Vec::new();
        for (place, cookie) in [
            ("access token at introspection", ACCESS),
            ("refresh token at introspection", REFRESH),
            ("session token at introspection", SESSION),
        ] {
            if let Some(token) = self.copy.cookie(cookie) {
                let said = introspect(self.app, &self.introspector, &token).await;
                let reason = said["reason"].as_str().unwrap_or("no reason");
                seen.push((place, if said["active"] == true { "alive" } else { reason }.to_owned()));
            }
        }
        let place = if self.copy.cookie(SESSION).is_some() { "session token at me" } else { "access token at me" };
        seen.push((place, alive_or(&self.copy.clone().me().await.code())));
        let place =
            if self.copy.cookie(SESSION).is_some() { "session token at the gate" } else { "access token at the gate" };
        let mut asked = self.copy.request(Method::GET, "/gate");
        for (name, value) in [("x-original-method", "GET"), ("x-original-uri", "/x")] {
            asked.headers_mut().insert(name, value.parse().unwrap());
        }
        seen.push((place, alive_or(&self.copy.send_without_keeping(asked).await.code())));
        seen.push(("event in the feed", self.event(before).await));
        self.guard.poll().await.unwrap();
        if let Some(token) = self.copy.cookie(ACCESS) {
            let verdict = self.guard.verify_token(&token).map_err(Refusal::code);
            seen.push(("access token at a guard", alive_or(verdict.err().unwrap_or_default())));
        }
        seen.push(("reason in the list of sessions", self.listed().await));
        if self.copy.cookie(REFRESH).is_some() {
            let answer = self.copy.refresh().await.json();
            seen.push(("refresh", alive_or(answer["reason"].as_str().or(answer["code"].as_str()).unwrap_or_default())));
        }
        seen
    }

    /// Which member of the feed names this session or token since the cursor `before`.
    async fn event(&self, before: &str) -> String {
        let path = "/api/revocations?instance=AAAAAAAAAAAAAAAAAAAAAA&nonce=n&wait=0&after=";
        let (_, answer) = self.guard.fetch(&format!("{path}{before}")).await;
        let jti = self.copy.cookie(ACCESS).map_or_else(|| "none".to_owned(), |token| jti(&token));
        let kid = self.copy.cookie(ACCESS).map_or_else(|| "\"".to_owned(), |token| part(&token, 0)["kid"].to_string());
        let targets = [("sessions", &self.sid), ("stale", &self.sid), ("tokens", &jti), ("keys", &kid)];
        let hit = targets.into_iter().filter(|(member, id)| answer[*member].to_string().contains(*id));
        let members: Vec<_> = hit.map(|(member, _)| member).collect();
        members.join(" ")
    }

    /// What the user is shown of the session; they sign in again for it if they have to.
    async fn listed(&mut self) -> String {
        let mut list = self.other.get("/api/auth/sessions").await;
        if list.status != 200 {
            self.other.refresh().await;
            list = self.other.get("/api/auth/sessions").await;
        }
        if list.status != 200 {
            ask(self.app, "POST", &format!("/api/admin/users/{}/unban", self.user), None).await;
            let (_, users) = ask(self.app, "GET", "/api/admin/users", None).await;
            if users["users"] == json!([]) {
                return self.told().await;
            }
            self.other.sign_in(EMAIL).await;
            list = self.other.get("/api/auth/sessions").await;
        }
        let list = list.json();
        let find = |of: &str| list[of].as_array().unwrap().iter().find(|one| one["id"] == self.sid.as_str()).cloned();
        match (find("sessions"), find("ended")) {
            (Some(_), None) => "alive".into(),
            (None, Some(ended)) => ended["reason"].as_str().unwrap().to_owned(),
            both => format!("{both:?}"),
        }
    }

    /// What the user of an account that is no more is told: the reason that comes with a refusal, or what support reads.
    async fn told(&self) -> String {
        let (_, list) = ask(self.app, "GET", &format!("/api/admin/users/{}/sessions", self.user), None).await;
        let ended = list["sessions"].as_array().unwrap().iter().find(|one| one["id"] == self.sid.as_str());
        ended.unwrap()["reason"].as_str().unwrap_or("alive").to_owned()
    }

    /// Where the feed stands now.
    pub(crate) async fn cursor(&self) -> String {
        let path = "/api/revocations?instance=AAAAAAAAAAAAAAAAAAAAAA&nonce=n&wait=0";
        self.guard.fetch(path).await.1["cursor"].as_str().unwrap().to_owned()
    }
}

fn alive_or(code: &str) -> String {
    if code.is_empty() { "alive" } else { code }.to_owned()
}

pub(crate) fn jti(token: &str) -> String {
    part(token, 1)["jti"].as_str().unwrap().to_owned()
}

/// Header (0) or payload (1) of a token.
pub(crate) fn part(token: &str, number: usize) -> Value {
    serde_json::from_slice(&base64url_decode(token.split('.').nth(number).unwrap()).unwrap()).unwrap()
}

/// What must be seen at a place.
fn expected(effect: Effect, place: &str) -> &'static str {
    let access = place.starts_with("access token");
    match (effect, place) {
        (Ends(reason), "refresh" | "reason in the list of sessions") => reason,
        (Ends(_), "event in the feed") => "sessions",
        (OneToken, "event in the feed") => "tokens",
        (Stale, "event in the feed") => "stale",
        (KeyGone, "event in the feed") => "keys",
        (Ends(_), _) => "session_revoked",
        (OneToken, _) if access => "session_revoked",
        (Stale, _) if access => "token_stale",
        // A token that no key of ours has signed is not ours, and of those nothing is said.
        (KeyGone, "access token at introspection") => "no reason",
        (KeyGone, _) if access => "token_invalid",
        (OneToken | Stale | KeyGone, _) => "alive",
    }
}

#[tokio::test]
async fn s1_s2_every_way_of_ending_access_shows_at_every_place() {
    let (mut wrong, mut cells) = (Vec::new(), 0);
    for (way, effect, cookie, opaque) in TABLE {
        for (application, _) in [("web", cookie), ("classic", opaque)].into_iter().filter(|(_, there_is)| *there_is) {
            let mail = if way == PasswordReset { "\n[mail]\noutbox = true" } else { "" };
            let app = TestApp::with(&format!("{CONFIG}{mail}")).await;
            let mut world = World::new(&app, application).await;
            let before = world.cursor().await;
            world.go(way).await;
            for (place, seen) in world.look(&before).await {
                cells += 1;
                if seen != expected(effect, place) {
                    wrong.push(format!("{way:?} of {application}, {place}: {seen}, not {}", expected(effect, place)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(cells, 19 * 8 + 16 * 5, "no cell is left out");
}

/// Without this a place that never accepts anything would pass above.
#[tokio::test]
async fn before_anything_is_ended_everything_is_alive() {
    for application in ["web", "classic"] {
        let app = TestApp::with(CONFIG).await;
        let mut world = World::new(&app, application).await;
        let before = world.cursor().await;
        for (place, seen) in world.look(&before).await {
            let expected = if place == "event in the feed" { "" } else { "alive" };
            assert_eq!(seen, expected, "{application}, {place}");
        }
    }
}

/// The mint follows a committed decision on a row that is not revoked, and the token names the session that the entry names.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s1_atk31_a_token_minted_by_a_refresh_that_races_with_the_revocation_is_refused() {
    const ROUNDS: usize = 60;
    const TABS: usize = 4;
    let app = TestApp::new().await;
    let (guard, introspector) = (Follower::new(&app, "api").await, credential(&app, "introspector").await);
    let (mut minted, mut too_late) = (0, 0);
    for round in 0..ROUNDS {
        let browser = app.signed_in_again().await;
        let leaving = browser.clone();
        let end = tokio::spawn(async move {
            for _ in 0..round % 12 {
                tokio::task::yield_now().await;
            }
            let path = if round % 2 == 0 { "/api/auth/logout" } else { "/api/auth/refresh" };
            let method = if round % 2 == 0 { Method::POST } else { Method::DELETE };
            leaving.send_without_keeping(leaving.request(method, path)).await.status
        });
        let tabs = crate::support::all((0..TABS).map(|_| {
            let mut tab = browser.clone();
            async move {
                let answer = tab.refresh().await;
                (tab, answer.status)
            }
        }));
        let tabs = tabs.await;
        assert_eq!(end.await.unwrap(), 204);
        guard.poll().await.unwrap();
        for (mut tab, status) in tabs {
            if status != 200 {
                too_late += 1;
                continue;
            }
            minted += 1;
            let token = tab.cookie(ACCESS).unwrap();
            assert_eq!(tab.me().await.code(), "session_revoked", "round {round}, at the authority");
            assert_eq!(guard.verify_token(&token), Err(Refusal::Revoked), "round {round}, at a guard");
            let said = introspect(&app, &introspector, &token).await;
            assert_eq!(said["reason"], "session_revoked", "round {round}, at introspection");
            assert_eq!(tab.refresh().await.json()["reason"], "signed_out", "round {round}, refresh");
        }
    }
    assert!(minted > 0, "no refresh came before the revocation: {too_late} of {} too late", ROUNDS * TABS);
}

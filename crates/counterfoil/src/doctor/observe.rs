//! Sends what the checks need to see, in an order in which what matters most comes first: the number of requests is bounded.

use super::form::{self, Form};
use super::jar::Jar;
use super::observed::{Act, Answer, Exchange, Observed, Probe, Site, Who};
use super::session;
use super::wire::{Ask, Wire};
use crate::clock::{Clock, random};
use counterfoil_core::Secret;
use counterfoil_guard::base64url_encode;
use serde_json::{Value, json};
use std::sync::Arc;
use url::{Host, Url};

/// Whose page wants something.
pub(super) const ATTACKER: &str = "https://attacker.example";

/// Whose pages want to read: a stranger's, one without a name, and two that look like the site to who compares only the beginning or the end.
pub(super) const STRANGERS: [&str; 4] =
    [ATTACKER, "null", "{scheme}://{host}.attacker.example", "{scheme}://attacker-{host}"];

/// Where sign-in pages are looked for.
const PAGES: [&str; 7] =
    ["/login", "/signin", "/sign-in", "/auth/login", "/accounts/login/", "/users/sign_in", "/account/login"];

/// Where sign-ins by script are looked for, when the page has no form.
const APIS: [&str; 4] = ["/api/auth/login", "/api/login", "/auth/login", "/api/v1/auth/login"];

/// How addresses to go on to are called, as far as one can guess.
const RETURN_PARAMETERS: [&str; 8] =
    ["redirect", "return_to", "returnTo", "next", "returnUrl", "continue", "callbackUrl", "redirect_uri"];

/// ATK-40: each way to say `attacker.example` that some check lets pass.
pub(super) const RETURN_TO: [&str; 8] = [
    "https://attacker.example/",
    "//attacker.example/",
    "/\\attacker.example/",
    "https:attacker.example/",
    "/\t/attacker.example/",
    "javascript:alert(1)//attacker.example",
    // For who compares the beginning.
    "{scheme}://{host}@attacker.example/",
    "{scheme}://{host}.attacker.example/",
];

/// Wrong sign-ins to one address before it is said that no limit was seen.
pub(super) const LIMIT_TRIES: u32 = 12;

/// Addresses on the site that the user has told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paths {
    pub(crate) sign_in: Option<String>,
    pub(crate) login_api: Option<String>,
    pub(crate) sign_out: Option<String>,
    pub(crate) refresh: Option<String>,
    pub(crate) who: Option<String>,
    pub(crate) forgot: Option<String>,
}

/// How a sign-in is written.
#[derive(Clone, Debug)]
pub(crate) struct SignInApi {
    /// The names of its two fields.
    pub(crate) fields: (String, String),
    /// As a form, and not as JSON.
    pub(crate) form: bool,
}

/// An account to sign in to.
pub(crate) struct Account {
    pub(crate) email: String,
    pub(crate) password: Secret<String>,
}

/// What is examined, and how.
pub(crate) struct Options {
    pub(crate) url: Url,
    pub(crate) paths: Paths,
    pub(crate) api: Option<SignInApi>,
    /// An address that has an account.
    pub(crate) email: Option<String>,
    pub(crate) account: Option<Account>,
    pub(crate) tries: u32,
    /// Whether anything but GET and OPTIONS may be sent.
    pub(crate) posts: bool,
}

/// Where and how sign-ins are sent.
#[derive(Clone)]
pub(super) struct Api {
    url: Url,
    fields: (String, String),
    form: bool,
    hidden: Vec<(String, String)>,
}

/// The one who looks.
pub(super) struct Observer<'a> {
    pub(super) options: &'a Options,
    wire: Wire,
    pub(super) observed: Observed,
    pub(super) jar: Jar,
    pub(super) api: Option<Api>,
    password: Secret<String>,
}

/// Looks. `Err` is why nothing could be seen.
pub(crate) async fn observe(
    options: &Options,
    clock: Arc<dyn Clock>,
    tell: Box<dyn FnMut(&str) + Send>,
) -> Result<Observed, String> {
    let https = options.url.scheme() == "https";
    let host = options.url.host().ok_or("the URL names no host")?;
    let loopback = match host {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    let site = Site { origin: options.url.origin().ascii_serialization(), host: host.to_string(), https, loopback };
    let wire = Wire::new(https, clock, tell)?;
    let observed = Observed { site, ..Observed::default() };
    let password = Secret::new(format!("doctor-{}", base64url_encode(&random::<12>())));
    let mut looker = Observer { options, wire, observed, jar: Jar::default(), api: None, password };
    looker.metadata().await?;
    let page = looker.page().await;
    looker.plain_http().await;
    looker.find_api(page.as_ref()).await;
    looker.foreign().await;
    looker.cross_site().await;
    looker.return_to().await;
    looker.own().await;
    looker.errors().await;
    if looker.options.account.is_some() {
        session::examine(&mut looker).await;
    } else {
        looker.sign_out_by_get().await;
    }
    looker.wrong_sign_ins().await;
    looker.observed.tls = looker.wire.tls();
    Ok(looker.observed)
}

impl Observer<'_> {
    pub(super) fn url(&self, path: &str) -> Url {
        self.options.url.join(path).unwrap_or_else(|_| self.options.url.clone())
    }

    /// Asks, and keeps what came of it.
    pub(super) async fn ask(&mut self, probe: Probe, ask: Ask) -> Option<Answer> {
        let answer = self.ask_aside(&ask).await;
        let given = answer.as_ref().ok().cloned();
        self.observed.exchanges.push(Exchange { probe, asked: ask.line(), answer });
        given
    }

    /// Asks. What it leads to is the caller's to keep.
    async fn ask_aside(&mut self, ask: &Ask) -> Result<Answer, String> {
        if ask.method == http::Method::POST && !self.options.posts {
            return Err("not sent: it needs --yes, or a yes at the terminal".into());
        }
        self.wire.ask(ask).await
    }

    pub(super) fn trusts(&self) -> bool {
        let trusted = self.wire.tls().is_some_and(|tls| tls.distrust.is_none());
        if self.observed.site.https { trusted } else { self.observed.site.loopback }
    }

    async fn metadata(&mut self) -> Result<(), String> {
        let names = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];
        let mut keys = self.url("/.well-known/jwks.json");
        for (index, name) in names.into_iter().enumerate() {
            let ask = Ask::get(self.url(name));
            let answer = self.ask_aside(&ask).await;
            // Who does not answer the first one answers none.
            let answer = if index == 0 { Ok(answer?) } else { answer };
            let document = answer.as_ref().ok().filter(|answer| answer.is_success()).map(Answer::json);
            let found = document.as_ref().is_some_and(Value::is_object);
            if found || index + 1 == names.len() {
                self.observed.exchanges.push(Exchange { probe: Probe::Metadata, asked: ask.line(), answer });
            }
            if let Some(document) = document.filter(Value::is_object) {
                self.observed.counterfoil =
                    document["service_documentation"] == "https://github.com/counterfoil/counterfoil";
                let said = document["jwks_uri"].as_str().and_then(|uri| Url::parse(uri).ok());
                keys = said.filter(|uri| uri.origin() == self.options.url.origin()).unwrap_or(keys);
                break;
            }
        }
        self.ask(Probe::Keys, Ask::get(keys)).await;
        Ok(())
    }

    /// The sign-in page, after at most three redirects on this site.
    async fn page(&mut self) -> Option<(Url, Answer)> {
        let told = self.options.paths.sign_in.clone();
        let candidates = told.map_or_else(|| PAGES.map(str::to_owned).to_vec(), |path| vec![path]);
        for path in candidates {
            let mut url = self.url(&path);
            for _ in 0..4 {
                let ask = Ask::get(url.clone());
                let answer = self.ask_aside(&ask).await;
                let Ok(given) = answer.as_ref().cloned() else { break };
                self.jar.keep(&given);
                if given.status == 200 && given.is_page() {
                    self.observed.exchanges.push(Exchange { probe: Probe::SignInPage, asked: ask.line(), answer });
                    return Some((url, given));
                }
                let next = given.header(http::header::LOCATION).and_then(|to| url.join(to).ok());
                match next.filter(|next| given.is_redirect() && next.origin() == url.origin()) {
                    Some(next) => url = next,
                    None => break,
                }
            }
        }
        None
    }

    /// Where the same host answers without TLS. Only for the usual ports: what listens at others is another matter.
    async fn plain_http(&mut self) {
        if self.observed.site.https && self.options.url.port().is_none() {
            let mut url = self.url("/");
            if url.set_scheme("http").is_ok() {
                self.ask(Probe::PlainHttp, Ask::get(url)).await;
            }
        }
    }

    async fn find_api(&mut self, page: Option<&(Url, Answer)>) {
        let form = page.and_then(|(url, answer)| Some((url, form::find(&answer.body)?)));
        let told = self.options.api.clone();
        let told = told.unwrap_or(SignInApi { fields: ("email".into(), "password".into()), form: false });
        let at = |url: Url| Api { url, fields: told.fields.clone(), form: told.form, hidden: Vec::new() };
        if let Some(path) = &self.options.paths.login_api {
            let mut api = at(self.url(path));
            if let Some((_, form)) = form.filter(|_| api.form) {
                api.hidden = form.hidden;
            }
            self.api = Some(api);
        } else if self.observed.counterfoil {
            self.api = Some(at(self.url("/api/auth/login")));
        } else if let Some((url, Form { action, email, password, hidden })) = form {
            let target = url.join(&action).ok().filter(|target| target.origin() == url.origin());
            self.api = target.map(|url| Api { url, fields: (email, password), form: true, hidden });
        } else {
            for path in APIS {
                let api = at(self.url(path));
                let ask = self.sign_in(&api, &made_up(), &self.password);
                let answer = self.ask_aside(&ask).await;
                let there = answer.as_ref().is_ok_and(|answer| {
                    !matches!(answer.status, 404 | 405 | 501) && !answer.is_redirect() && !answer.is_page()
                });
                if there {
                    self.api = Some(api);
                    return;
                }
            }
        }
    }

    /// A sign-in as the site's own page sends it.
    pub(super) fn sign_in(&self, api: &Api, email: &str, password: &Secret<String>) -> Ask {
        let body = api.body(email, password, &api.hidden);
        self.as_own_page(Ask::post(api.url.clone(), api.content_type(), body))
    }

    /// With the headers and cookies that a page of the site itself sends along.
    pub(super) fn as_own_page(&self, ask: Ask) -> Ask {
        let cookies = self.jar.header(ask.url.path());
        let ask = ask.with("origin", &self.observed.site.origin).with("sec-fetch-site", "same-origin");
        let ask = ask.with("x-requested-with", "counterfoil-doctor").with("accept", "application/json, text/html");
        match cookies {
            Some(cookies) => ask.with("cookie", &cookies),
            None => ask,
        }
    }

    /// The address of something beside the sign-in: as told, or as its neighbours are called.
    pub(super) fn beside(&self, told: Option<&String>, name: &str) -> Option<Url> {
        match told {
            Some(path) => Some(self.url(path)),
            None => self.api.as_ref()?.url.join(name).ok(),
        }
    }

    pub(super) fn act(&self, act: Act) -> Option<Url> {
        match act {
            Act::SignIn => self.api.as_ref().map(|api| api.url.clone()),
            Act::Refresh => self.beside(self.options.paths.refresh.as_ref(), "refresh"),
            Act::SignOut => self.beside(self.options.paths.sign_out.as_ref(), "logout"),
        }
    }

    pub(super) fn who(&self) -> Option<Url> {
        self.beside(self.options.paths.who.as_ref(), "me")
    }

    async fn foreign(&mut self) {
        let Some(url) = self.who() else { return };
        for origin in STRANGERS {
            let named = self.observed.site.put_into(origin);
            let ask = Ask::get(url.clone()).with("origin", &named).with("sec-fetch-site", "cross-site");
            self.ask(Probe::Foreign(origin), ask).await;
        }
        if let Some(url) = self.act(Act::SignIn) {
            let ask = Ask { method: http::Method::OPTIONS, ..Ask::get(url) };
            let ask = ask.with("origin", ATTACKER).with("access-control-request-method", "POST");
            self.ask(Probe::Preflight, ask.with("access-control-request-headers", "content-type")).await;
        }
    }

    /// What another site's page can send without asking: a form, or text; without cookies, where there is no session.
    async fn cross_site(&mut self) {
        for act in [Act::SignIn, Act::Refresh, Act::SignOut] {
            let Some(url) = self.act(act) else { continue };
            let ask = match self.api.as_ref().filter(|_| act == Act::SignIn) {
                Some(api) => {
                    let kind = if api.form { api.content_type() } else { "text/plain" };
                    Ask::post(url, kind, api.body(&made_up(), &self.password, &[]))
                }
                None => Ask::post(url, "application/x-www-form-urlencoded", Secret::new(String::new())),
            };
            let ask = ask.with("origin", ATTACKER).with("sec-fetch-site", "cross-site");
            self.ask(Probe::CrossSite(act), ask).await;
        }
    }

    async fn return_to(&mut self) {
        let page = self.observed.answer(Probe::SignInPage).map(|(exchange, _)| exchange.asked.clone());
        let Some(path) = page.as_deref().and_then(|line| line.strip_prefix("GET ")) else { return };
        let page = self.url(path);
        for target in RETURN_TO {
            let mut url = page.clone();
            let named = self.observed.site.put_into(target);
            url.query_pairs_mut().extend_pairs(RETURN_PARAMETERS.map(|name| (name, named.as_str())));
            self.ask(Probe::ReturnTo(target), Ask::get(url)).await;
        }
    }

    /// What a Counterfoil must not show to everybody.
    async fn own(&mut self) {
        if !self.observed.counterfoil {
            return;
        }
        for (probe, path) in [
            (Probe::Health, "/healthz"),
            (Probe::Metrics, "/metrics"),
            (Probe::Gate, "/gate"),
            (Probe::GetRefresh, "/api/auth/refresh"),
            (Probe::Administration, "/api/admin/users"),
            (Probe::Control, "/api/admin/audit/verify"),
        ] {
            self.ask(probe, Ask::get(self.url(path))).await;
        }
    }

    async fn errors(&mut self) {
        self.ask(Probe::NoSuchPage, Ask::get(self.url("/counterfoil-doctor/no-such-page%27%22%3C%25"))).await;
        if let Some(api) = self.api.clone() {
            let ask = Ask::post(api.url.clone(), "application/json", Secret::new("{\"email\":".into()));
            let ask = self.as_own_page(ask);
            self.ask(Probe::Malformed, ask).await;
        }
    }

    async fn sign_out_by_get(&mut self) {
        if let Some(url) = self.act(Act::SignOut) {
            self.ask(Probe::GetSignOut, Ask::get(url)).await;
        }
    }

    /// Wrong sign-ins, in turn to addresses with and without account, then to one of them until the site has had enough.
    async fn wrong_sign_ins(&mut self) {
        let Some(api) = self.api.clone() else { return };
        let (unknown, another) = (made_up(), made_up());
        let mut turns = vec![(Who::Unknown, unknown.clone()), (Who::AnotherUnknown, another)];
        turns.extend(self.options.email.clone().map(|email| (Who::Known, email)));
        self.forgotten(&turns).await;
        let compared = (0..self.options.tries).flat_map(|_| turns.clone());
        let more = LIMIT_TRIES.saturating_sub(self.options.tries) as usize;
        for (who, email) in compared.chain(std::iter::repeat_n((Who::Unknown, unknown), more)) {
            let ask = self.sign_in(&api, &email, &self.password);
            let answer = self.ask(Probe::WrongSignIn(who), ask).await;
            // Not one more than the site allows.
            if answer.is_none_or(|answer| answer.status == 429) {
                return;
            }
        }
    }

    async fn forgotten(&mut self, addresses: &[(Who, String)]) {
        let ours = self.observed.counterfoil.then(|| "/api/auth/password/forgot".to_owned());
        let Some(path) = self.options.paths.forgot.clone().or(ours) else { return };
        let form = self.api.as_ref().is_some_and(|api| api.form);
        let field = self.api.as_ref().map_or("email", |api| api.fields.0.as_str()).to_owned();
        for (who, email) in addresses {
            let ask = if form {
                let body = url::form_urlencoded::Serializer::new(String::new()).append_pair(&field, email).finish();
                Ask::post(self.url(&path), "application/x-www-form-urlencoded", Secret::new(body))
            } else {
                let body = json!({ field.as_str(): email }).to_string();
                Ask::post(self.url(&path), "application/json", Secret::new(body))
            };
            let ask = self.as_own_page(ask);
            let answer = self.ask(Probe::Forgotten(*who), ask).await;
            if answer.is_none_or(|answer| answer.status == 429) {
                return;
            }
        }
    }
}

impl Api {
    const fn content_type(&self) -> &'static str {
        if self.form { "application/x-www-form-urlencoded" } else { "application/json" }
    }

    fn body(&self, email: &str, password: &Secret<String>, hidden: &[(String, String)]) -> Secret<String> {
        let (name, secret) = (self.fields.0.as_str(), self.fields.1.as_str());
        if !self.form {
            return Secret::new(json!({ name: email, secret: password.expose() }).to_string());
        }
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(hidden).append_pair(name, email).append_pair(secret, password.expose());
        Secret::new(body.finish())
    }
}

/// An address that nobody has (RFC 2606), always of one length.
fn made_up() -> String {
    format!("doctor-{}@example.com", base64url_encode(&random::<9>()).to_ascii_lowercase().replace('_', "-"))
}

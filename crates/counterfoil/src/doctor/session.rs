//! With an account: what a sign-in really hands out, who can use it, and whether it is worth nothing after the sign-out.

use super::observe::{ATTACKER, Observer};
use super::observed::{Act, Answer, Exchange, Probe};
use super::set_cookie;
use super::wire::Ask;
use counterfoil_core::Secret;
use url::Url;

/// Signs in, looks, signs out, and tries again with what it had.
pub(super) async fn examine(observer: &mut Observer<'_>) {
    let (Some(account), Some(api)) = (&observer.options.account, observer.api.clone()) else { return };
    let ask = observer.sign_in(&api, &account.email, &account.password);
    if !observer.trusts() {
        let answer =
            Err("not sent: the password would go where its certificate is not trusted, or in the clear".into());
        observer.observed.exchanges.push(Exchange { probe: Probe::SignIn, asked: ask.line(), answer });
        return;
    }
    let Some(answer) = observer.ask(Probe::SignIn, ask).await else { return };
    observer.jar.keep(&answer);
    let bearer = bearer(&answer);
    let who = observer.who();
    let signed_in = read(observer, Probe::Me, who.as_ref(), bearer.as_ref()).await;
    if !signed_in {
        return;
    }
    abuse(observer, bearer.is_none()).await;
    read(observer, Probe::MeAfterGet, who.as_ref(), bearer.as_ref()).await;
    if let Some(url) = observer.act(Act::SignOut) {
        let ask = Ask::post(url, "application/json", Secret::new(String::new()));
        let ask = with_bearer(observer.as_own_page(ask), bearer.as_ref());
        // What the sign-out takes away is kept: a thief has a copy.
        observer.ask(Probe::SignOut, ask).await;
    }
    read(observer, Probe::MeAfter, who.as_ref(), bearer.as_ref()).await;
    if let Some(url) = observer.act(Act::Refresh) {
        let ask = observer.as_own_page(Ask::post(url, "application/json", Secret::new(String::new())));
        observer.ask(Probe::RefreshAfter, ask).await;
    }
}

/// What another site's page or a link can do with the session's cookies, were they sent along.
async fn abuse(observer: &mut Observer<'_>, by_cookie: bool) {
    for act in [Act::Refresh, Act::SignOut].into_iter().filter(|_| by_cookie) {
        let Some(url) = observer.act(act) else { continue };
        let cookies = observer.jar.header(url.path()).unwrap_or_default();
        let ask = Ask::post(url, "application/x-www-form-urlencoded", Secret::new(String::new()));
        let ask = ask.with("origin", ATTACKER).with("sec-fetch-site", "cross-site").with("cookie", &cookies);
        observer.ask(Probe::CrossSiteSession(act), ask).await;
    }
    if let Some(url) = observer.act(Act::SignOut) {
        let cookies = observer.jar.header(url.path()).unwrap_or_default();
        observer.ask(Probe::GetSignOutSession, Ask::get(url).with("cookie", &cookies)).await;
    }
}

/// Whether what only a signed-in user may read is given.
async fn read(observer: &mut Observer<'_>, probe: Probe, who: Option<&Url>, bearer: Option<&Secret<String>>) -> bool {
    let Some(url) = who else { return false };
    let ask = with_bearer(observer.as_own_page(Ask::get(url.clone())), bearer);
    observer.ask(probe, ask).await.is_some_and(|answer| answer.is_success())
}

fn with_bearer(ask: Ask, token: Option<&Secret<String>>) -> Ask {
    match token {
        Some(token) => ask.with("authorization", &format!("Bearer {}", token.expose())),
        None => ask,
    }
}

/// The token to send where no cookie signs in.
fn bearer(answer: &Answer) -> Option<Secret<String>> {
    let by_cookie = set_cookie::all(&answer.headers, answer.received).iter().any(set_cookie::SetCookie::is_credential);
    let body = answer.json();
    let token = ["access_token", "accessToken", "token"].iter().find_map(|name| body[*name].as_str());
    token.filter(|_| !by_cookie).map(|token| Secret::new(token.to_owned()))
}

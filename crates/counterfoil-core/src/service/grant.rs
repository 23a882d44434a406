//! What a service is granted: in its own name (RFC 6749 section 4.4), or in the name of somebody whose token it holds (RFC 8693).
//! Pure: the rules are the configuration's, and nothing a client says widens them.

use counterfoil_guard::{Actor, Claims, ClientName, MAX_ACTORS, Sid, Subject, Timestamp, is_scope};
use std::collections::{BTreeMap, BTreeSet};

/// What one service may have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// The resources it may call, by name, and at each the scope it may have.
    pub resources: BTreeMap<String, Vec<String>>,
    /// The audiences whose tokens it may exchange.
    pub exchanges: BTreeSet<String>,
    /// Whether its tokens must be bound to a key.
    pub bound: bool,
}

/// A service that has proved itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: ClientName,
    /// The session on which its tokens hang; it ends with its credential.
    pub sid: Sid,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The resource; may be left out by a service that has only one (AT-3).
    pub resource: Option<&'a str>,
    /// The scope; without it, all that may be had.
    pub scope: Option<&'a str>,
}

/// What is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// At which resource.
    pub resource: String,
    /// Space-separated, in the order of the configuration. `None`: the resource knows no scope.
    pub scope: Option<String>,
}

/// A token in somebody else's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchanged {
    /// At which resource, and what may be done there.
    pub granted: Granted,
    /// The service, and whoever had acted before it.
    pub act: Actor,
    /// No later than the token it was made from.
    pub not_after: Timestamp,
}

/// Why nothing is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// The configuration lets this service have nothing of the kind.
    #[error("the configuration does not let this client use this grant")]
    Unauthorized,
    /// It may not call this resource, or has not said which of several.
    #[error("the resource is not one this client may call")]
    Target,
    /// The scope is malformed, unknown, or more than it may have.
    #[error("the scope is more than may be had here")]
    Scope,
    /// The token may not be exchanged by this service.
    #[error("the subject token may not be exchanged by this client")]
    Subject,
}

/// A token in the service's own name.
pub fn client_credentials(rules: &Rules, wanted: Wanted<'_>) -> Result<Granted, GrantError> {
    if rules.resources.is_empty() {
        return Err(GrantError::Unauthorized);
    }
    let (resource, allowed) = resource(rules, wanted)?;
    narrow(resource, wanted.scope, allowed.iter().map(String::as_str).collect())
}

/// A token in the name of another token's subject: for another resource, never for longer, never with more scope (TEX-3).
pub fn exchange(
    rules: &Rules,
    service: &Service,
    subject: &Claims,
    wanted: Wanted<'_>,
) -> Result<Exchanged, GrantError> {
    if rules.exchanges.is_empty() || rules.resources.is_empty() {
        return Err(GrantError::Unauthorized);
    }
    if !rules.exchanges.contains(&subject.aud) {
        return Err(GrantError::Subject);
    }
    let act = subject.act.clone().map(Box::new);
    let act = Actor { sub: Subject::Client(service.name.clone()), sid: service.sid, act };
    if act.chain().count() > MAX_ACTORS {
        return Err(GrantError::Subject);
    }
    let (resource, allowed) = resource(rules, wanted)?;
    // A user's own token has no scope and may do what the user may. Any other bounds all that come of it: one that was granted no scope
    // lets nobody have one.
    let own = subject.scope.is_none() && subject.act.is_none() && subject.sub.user().is_some();
    let inherited = |scope: &&str| own || subject.has_scope(scope);
    let granted = narrow(resource, wanted.scope, allowed.iter().map(String::as_str).filter(inherited).collect())?;
    // A bounded token must not become one without bounds at a resource that knows no scope.
    if subject.scope.is_some() && granted.scope.is_none() {
        return Err(GrantError::Scope);
    }
    Ok(Exchanged { granted, act, not_after: Timestamp::from_seconds(subject.exp) })
}

fn resource<'a>(rules: &'a Rules, wanted: Wanted<'_>) -> Result<(&'a String, &'a Vec<String>), GrantError> {
    match wanted.resource {
        Some(name) => rules.resources.get_key_value(name).ok_or(GrantError::Target),
        None if rules.resources.len() == 1 => rules.resources.first_key_value().ok_or(GrantError::Target),
        None => Err(GrantError::Target),
    }
}

fn narrow(resource: &str, wanted: Option<&str>, allowed: Vec<&str>) -> Result<Granted, GrantError> {
    let granted = match wanted {
        None => allowed,
        Some(scope) => {
            let wanted: BTreeSet<&str> = scope.split(' ').collect();
            if !is_scope(scope) || !wanted.iter().all(|token| allowed.contains(token)) {
                return Err(GrantError::Scope);
            }
            allowed.into_iter().filter(|token| wanted.contains(token)).collect()
        }
    };
    let scope = (!granted.is_empty()).then(|| granted.join(" "));
    Ok(Granted { resource: resource.to_owned(), scope })
}

#[cfg(test)]
mod tests {
    use super::{GrantError, Rules, Service, Wanted, client_credentials, exchange};
    use counterfoil_guard::{Actor, Claims, Jti, Sid, Subject, Timestamp, UserId};
    use proptest::prelude::*;

    fn rules() -> Rules {
        let scopes = |all: &[&str]| all.iter().map(|&scope| scope.to_owned()).collect();
        Rules {
            resources: [
                ("billing".to_owned(), scopes(&["read", "write"])),
                ("mail".to_owned(), scopes(&["send"])),
                ("plain".to_owned(), Vec::new()),
            ]
            .into(),
            exchanges: ["web".to_owned(), "billing".to_owned()].into(),
            bound: false,
        }
    }

    fn service() -> Service {
        Service { name: "reports".parse().expect("a name"), sid: Sid::from_bytes([5; 16]) }
    }

    fn subject(aud: &str, scope: Option<&str>, act: Option<Actor>) -> Claims {
        Claims {
            iss: String::new(),
            sub: Subject::User(UserId::from_bytes([1; 16])),
            aud: aud.into(),
            client_id: "web".into(),
            exp: 1000,
            iat: 900,
            nbf: None,
            jti: Jti::from_bytes([2; 16]),
            sid: Sid::from_bytes([3; 16]),
            auth_time: 800,
            acr: "aal1".into(),
            amr: Vec::new(),
            roles: Vec::new(),
            claims_version: 0,
            scope: scope.map(str::to_owned),
            act,
            bound_to: None,
            status: None,
            private: std::collections::BTreeMap::new(),
        }
    }

    fn wanted<'a>(resource: &'a str, scope: Option<&'a str>) -> Wanted<'a> {
        Wanted { resource: Some(resource), scope }
    }

    #[test]
    fn at_3_a_service_gets_what_the_configuration_says_and_nothing_else() {
        let ask = |resource, scope| client_credentials(&rules(), wanted(resource, scope)).map(|granted| granted.scope);
        assert_eq!(ask("billing", None), Ok(Some("read write".into())));
        assert_eq!(ask("billing", Some("write")), Ok(Some("write".into())));
        assert_eq!(ask("billing", Some("write read")), Ok(Some("read write".into())));
        assert_eq!(ask("plain", None), Ok(None));
        for scope in ["send", "read admin", "rea", "", " read", "read  write", "read\twrite", "read read"] {
            assert_eq!(ask("billing", Some(scope)), Err(GrantError::Scope), "{scope:?}");
        }
        assert_eq!(ask("other", None), Err(GrantError::Target));
        let unsaid = |rules: &Rules| client_credentials(rules, Wanted::default()).map(|granted| granted.resource);
        assert_eq!(unsaid(&rules()), Err(GrantError::Target), "which of three?");
        assert_eq!(unsaid(&Rules::default()), Err(GrantError::Unauthorized));
        let one = Rules { resources: [("mail".to_owned(), Vec::new())].into(), ..Rules::default() };
        assert_eq!(unsaid(&one), Ok("mail".into()));
    }

    #[test]
    fn tex_3_an_exchange_names_who_acts_and_gains_nothing() {
        let earlier =
            Actor { sub: "client:front".parse().expect("a subject"), sid: Sid::from_bytes([8; 16]), act: None };
        let held = subject("billing", Some("read send"), Some(earlier.clone()));
        let made = exchange(&rules(), &service(), &held, wanted("billing", None)).expect("granted");
        assert_eq!(made.granted.scope.as_deref(), Some("read"), "what both may");
        assert_eq!(made.not_after, Timestamp::from_seconds(1000));
        assert_eq!(made.act.sub.to_string(), "client:reports");
        assert_eq!(made.act.act.as_deref(), Some(&earlier), "the outermost decides, the rest is history");
        let more = exchange(&rules(), &service(), &held, wanted("billing", Some("write")));
        assert_eq!(more, Err(GrantError::Scope));
        assert_eq!(exchange(&rules(), &service(), &held, wanted("plain", None)), Err(GrantError::Scope));
        let foreign = subject("other", None, None);
        assert_eq!(exchange(&rules(), &service(), &foreign, wanted("billing", None)), Err(GrantError::Subject));
        let only_own = Rules { exchanges: [].into(), ..rules() };
        assert_eq!(exchange(&only_own, &service(), &held, wanted("billing", None)), Err(GrantError::Unauthorized));
    }

    #[test]
    fn tex_3_a_token_that_was_granted_no_scope_lets_nobody_have_one() {
        let front = Actor { sub: "client:front".parse().expect("a subject"), sid: Sid::from_bytes([8; 16]), act: None };
        let exchanged = subject("web", None, Some(front));
        let of_service = Claims { sub: "client:low".parse().expect("a subject"), ..subject("web", None, None) };
        for held in [exchanged, of_service] {
            let made = exchange(&rules(), &service(), &held, wanted("billing", None)).expect("a token, and no scope");
            assert_eq!(made.granted.scope, None);
            let asked = exchange(&rules(), &service(), &held, wanted("billing", Some("read")));
            assert_eq!(asked, Err(GrantError::Scope));
        }
    }

    #[test]
    fn tex_3_the_chain_of_actors_is_bounded() {
        let mut act = None;
        for made in 1..=5 {
            let held = subject("web", None, act.take());
            let outcome = exchange(&rules(), &service(), &held, wanted("billing", None));
            assert_eq!(outcome.is_ok(), made <= 4, "{made}");
            act = outcome.ok().map(|exchanged| exchanged.act);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_asked_nobody_gets_more_than_the_rules_and_the_token_allow(
            resource in "(billing|mail|plain|other)?",
            scope in proptest::option::of("(read|write|send|admin| ){0,5}"),
            held in proptest::option::of("(read|write|send)( admin)?"),
            acting: bool,
        ) {
            let wanted = Wanted { resource: Some(&resource).filter(|name| !name.is_empty()).map(String::as_str), scope: scope.as_deref() };
            let rules = rules();
            if let Ok(granted) = client_credentials(&rules, wanted) {
                let allowed = &rules.resources[&granted.resource];
                prop_assert!(granted.scope.iter().flat_map(|scope| scope.split(' ')).all(|token| allowed.iter().any(|a| a == token)));
            }
            let act = acting.then(|| Actor { sub: Subject::Client(service().name), sid: Sid::from_bytes([8; 16]), act: None });
            let subject = subject("web", held.as_deref(), act);
            let own = held.is_none() && !acting;
            if let Ok(made) = exchange(&rules, &service(), &subject, wanted) {
                let allowed = &rules.resources[&made.granted.resource];
                let tokens: Vec<&str> = made.granted.scope.iter().flat_map(|scope| scope.split(' ')).collect();
                let both = |token: &&str| allowed.iter().any(|a| a == token) && (own || subject.has_scope(token));
                prop_assert!(tokens.iter().all(both), "{:?}", tokens);
            }
        }
    }
}

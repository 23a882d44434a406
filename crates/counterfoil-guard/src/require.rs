//! What a route asks of a token beyond being good: assurance, freshness, a role (RFC 9470).

use crate::claims::{Claims, is_scope_token};
use crate::time::Timestamp;
use std::fmt::Write as _;
use std::time::Duration;

/// Assurance levels in their order; an `acr` that is not among them satisfies only itself.
const LEVELS: [&str; 3] = ["aal1", "aal2", "aal3"];

/// What a route requires.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Require {
    acr: Option<String>,
    max_age: Option<Duration>,
    role: Option<String>,
    scope: Vec<String>,
}

/// Why a good token is not enough here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Insufficient {
    /// The user must prove more, or again. Holds the challenge for `WWW-Authenticate`.
    Authentication(String),
    /// The token was not granted this scope. Holds the challenge for `WWW-Authenticate`.
    Scope(String),
    /// The user lacks the role: signing in again will not help.
    Role,
}

impl Require {
    /// Any good token.
    pub fn new() -> Self {
        Self::default()
    }

    /// At least this assurance (`acr`): `aal1`, `aal2` or `aal3`.
    #[must_use]
    pub fn acr(mut self, acr: impl Into<String>) -> Self {
        self.acr = Some(acr.into());
        self
    }

    /// The user proved themselves at most this long ago (`auth_time`).
    #[must_use]
    pub const fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// The user holds this role; the application must have `roles` among its claims.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.role = Some(role.into());
        self
    }

    /// The token was granted this scope; said several times, all of them.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope.push(scope.into());
        self
    }

    /// Whether the claims suffice at `now`, the authority's time. Scope and role come first: without them, signing in
    /// again would be for nothing.
    pub fn check(&self, claims: &Claims, now: Timestamp) -> Result<(), Insufficient> {
        if self.scope.iter().any(|wanted| !claims.has_scope(wanted)) {
            return Err(Insufficient::Scope(self.scope_challenge()));
        }
        if self.role.as_ref().is_some_and(|role| !claims.roles.contains(role)) {
            return Err(Insufficient::Role);
        }
        let strong = self.acr.as_deref().is_none_or(|required| reaches(&claims.acr, required));
        let oldest = |max_age: Duration| now.minus(max_age).as_seconds();
        let fresh = self.max_age.is_none_or(|max_age| claims.auth_time >= oldest(max_age));
        if !strong || !fresh {
            return Err(Insufficient::Authentication(self.challenge()));
        }
        Ok(())
    }

    /// How strong a proof it asks for.
    #[cfg(feature = "tower")]
    pub(crate) fn wanted_acr(&self) -> Option<&str> {
        self.acr.as_deref()
    }

    /// RFC 6750 section 3.1.
    fn scope_challenge(&self) -> String {
        let scope: Vec<_> = self.scope.iter().map(String::as_str).filter(|scope| is_scope_token(scope)).collect();
        format!(r#"Bearer error="insufficient_scope", scope="{}""#, scope.join(" "))
    }

    /// RFC 9470 section 3.
    fn challenge(&self) -> String {
        let mut challenge = String::from(r#"Bearer error="insufficient_user_authentication""#);
        if let Some(acr) = &self.acr {
            let quotable = acr.chars().all(|c| c.is_ascii_graphic() && c != '"' && c != '\\');
            if quotable {
                let _ = write!(challenge, r#", acr_values="{acr}""#);
            }
        }
        if let Some(max_age) = self.max_age {
            let _ = write!(challenge, ", max_age={}", max_age.as_secs());
        }
        challenge
    }
}

fn reaches(has: &str, required: &str) -> bool {
    let level = |acr: &str| LEVELS.iter().position(|level| *level == acr);
    match (level(has), level(required)) {
        (Some(has), Some(required)) => has >= required,
        _ => has == required,
    }
}

#[cfg(test)]
mod tests {
    use super::{Insufficient, Require};
    use crate::claims::Claims;
    use crate::id::{Jti, Sid, UserId};
    use crate::subject::Subject;
    use crate::time::Timestamp;
    use std::time::Duration;

    fn claims(acr: &str, auth_time: i64, role: &str) -> Claims {
        Claims {
            iss: String::new(),
            sub: Subject::User(UserId::from_bytes([0; 16])),
            aud: String::new(),
            client_id: String::new(),
            exp: 0,
            iat: 0,
            nbf: None,
            jti: Jti::from_bytes([0; 16]),
            sid: Sid::from_bytes([0; 16]),
            auth_time,
            acr: acr.into(),
            amr: Vec::new(),
            roles: vec![role.into()],
            claims_version: 0,
            scope: None,
            act: None,
            bound_to: None,
            status: None,
            private: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn step_9470_what_can_be_mended_is_challenged_and_a_role_is_not() {
        let now = Timestamp::from_seconds(1000);
        let require = Require::new().acr("aal2").max_age(Duration::from_mins(5)).role("admin");
        let challenge = r#"Bearer error="insufficient_user_authentication", acr_values="aal2", max_age=300"#;
        let challenged = Err(Insufficient::Authentication(challenge.into()));
        assert_eq!(require.check(&claims("aal2", 700, "admin"), now), Ok(()));
        assert_eq!(require.check(&claims("aal3", 1000, "admin"), now), Ok(()));
        assert_eq!(require.check(&claims("aal1", 1000, "admin"), now), challenged);
        assert_eq!(require.check(&claims("aal2", 699, "admin"), now), challenged);
        for (acr, auth_time) in [("aal2", 700), ("aal1", 0)] {
            assert_eq!(require.check(&claims(acr, auth_time, "user"), now), Err(Insufficient::Role));
        }
        let scoped = Claims { scope: Some("a:read b".into()), ..claims("", 0, "") };
        let needs = |scope: &[&str]| {
            scope.iter().fold(Require::new(), |require, scope| require.scope(*scope)).check(&scoped, now)
        };
        assert_eq!(needs(&["b", "a:read"]), Ok(()));
        assert_eq!(
            needs(&["b", "read"]),
            Err(Insufficient::Scope(r#"Bearer error="insufficient_scope", scope="b read""#.into()))
        );
        assert!(Require::new().acr("own").check(&claims("aal3", 0, ""), now).is_err(), "only itself");
        assert!(Require::new().acr("aal1").check(&claims("own", 0, ""), now).is_err());
    }
}

//! Logout tokens (`OpenID` Connect Back-Channel Logout 1.0, section 2.4): what an application is told when a session of its own has ended.
//! A JWT whatever the application's access tokens are, and by its `typ` nothing that opens anything.

use crate::keys::signing::SigningKey;
use counterfoil_guard::{LogId, Sid, Timestamp, UserId};
use serde::Serialize;
use std::time::Duration;

/// What follows `typ` in the header.
pub const TYPE: &str = "logout+jwt";

/// How long one counts. It is signed anew for every attempt, so this is for clocks that differ and for the way.
pub const LIFE: Duration = Duration::from_mins(2);

/// What a logout token says.
#[derive(Clone, Copy, Debug)]
pub struct Logout<'a> {
    /// The issuer.
    pub issuer: &'a str,
    /// The application, by its `client_id`.
    pub application: &'a str,
    /// Whose session it was.
    pub user: UserId,
    /// The session that has ended.
    pub sid: Sid,
    /// What [`jti`] has made.
    pub jti: &'a str,
}

/// Names the end of a session: the same at every attempt, of no other end, in no other installation. `log` and `seq` are of the entry of the
/// audit log that says so.
pub fn jti(log: LogId, seq: i64, sid: Sid) -> String {
    format!("out_{log}_{seq}_{sid}")
}

/// There is no `nonce`, by which one could be taken for an ID token (ASVS-10.5.5).
#[derive(Serialize)]
struct Payload<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: UserId,
    sid: Sid,
    iat: i64,
    exp: i64,
    jti: &'a str,
    events: Events,
}

/// What makes it a logout token: this member, and nothing in it.
#[derive(Serialize)]
struct Events {
    #[serde(rename = "http://schemas.openid.net/event/backchannel-logout")]
    backchannel_logout: Nothing,
}

#[derive(Serialize)]
struct Nothing {}

/// Signs a logout token that is sent at this time.
pub fn sign(key: &SigningKey, said: &Logout<'_>, at: Timestamp) -> String {
    let payload = Payload {
        iss: said.issuer,
        aud: said.application,
        sub: said.user,
        sid: said.sid,
        iat: at.as_seconds(),
        exp: at.plus(LIFE).as_seconds(),
        jti: said.jti,
        events: Events { backchannel_logout: Nothing {} },
    };
    key.sign_as(TYPE, &serde_json::to_vec(&payload).expect("strings and numbers always serialise"))
}

#[cfg(test)]
mod tests {
    use super::{Logout, jti, sign};
    use crate::keys::signing::SigningKey;
    use crate::secret::Secret;
    use counterfoil_guard::{Algorithm, LogId, Sid, Timestamp, UserId, base64url_decode};

    #[test]
    fn asvs_10_5_5_a_logout_token_says_what_the_standard_asks_for_and_no_nonce() {
        let key = SigningKey::new(Algorithm::EdDsa, &Secret::new(vec![7; 32])).expect("a seed");
        let sid = Sid::from_bytes([3; 16]);
        let jti = jti(LogId::from_bytes([9; 16]), 17, sid);
        let user = UserId::from_bytes([2; 16]);
        let told = Logout { issuer: "https://id.example.com", application: "web", user, sid, jti: &jti };
        let token = sign(&key, &told, Timestamp::from_millis(1_800_000_000_999));
        let parts: Vec<_> = token.split('.').map(|part| base64url_decode(part).expect("base64url")).collect();
        let text = |at: usize| str::from_utf8(&parts[at]).expect("text");
        assert_eq!(text(0), format!(r#"{{"alg":"EdDSA","kid":"{}","typ":"logout+jwt"}}"#, key.kid()));
        assert_eq!(
            text(1),
            r#"{"iss":"https://id.example.com","aud":"web","sub":"AgICAgICAgICAgICAgICAg","sid":"AwMDAwMDAwMDAwMDAwMDAw","#
                .to_owned()
                + r#""iat":1800000000,"exp":1800000120,"jti":"out_CQkJCQkJCQkJCQkJCQkJCQ_17_AwMDAwMDAwMDAwMDAwMDAw","#
                + r#""events":{"http://schemas.openid.net/event/backchannel-logout":{}}}"#
        );
    }
}

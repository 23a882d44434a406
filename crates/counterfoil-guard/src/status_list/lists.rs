//! What a guard keeps of status lists: which it holds, until when each may be used, and what they say of a token. Pure: whoever fetches
//! hands lists in, and brings the time along.

use super::list::StatusList;
use crate::claims::Claims;
use crate::refusal::Refusal;
use crate::time::{Clocks, Timestamp};
use std::collections::HashMap;
use std::time::Duration;

/// How many lists are held; of more, those used least recently go.
pub const MOST_LISTS: usize = 64;

/// How long the name of a list may be, after the issuer and `/status-lists/`.
const LONGEST_NAME: usize = 64;

/// A list is older than the one that is held, which stays: a revocation is not undone by whoever repeats what was true before (TSL-11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Older;

/// What the lists say of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It counts.
    Valid,
    /// It does not.
    Refused(Refusal),
    /// Nobody can say without this list: nothing is held of it, or what is held is over. Where it cannot be had the token is
    /// refused with [`Refusal::VerifierStale`]: there is no verdict that accepts meanwhile.
    Wanted(String),
}

#[derive(Debug)]
struct Held {
    list: StatusList,
    /// When it was asked for, or confirmed: its `ttl` counts from there, whichever clock ends it first.
    asked: Clocks,
    /// When it was last used, in the order of uses.
    used: u64,
}

/// The lists of one issuer.
#[derive(Debug)]
pub struct StatusLists {
    prefix: String,
    held: HashMap<String, Held>,
    uses: u64,
}

impl StatusLists {
    /// Of lists of this issuer, which all stand under `/status-lists/` of it: a token makes nobody fetch from anywhere else.
    pub fn new(issuer: &str) -> Self {
        Self { prefix: format!("{issuer}/status-lists/"), held: HashMap::new(), uses: 0 }
    }

    /// Whether the token counts, by the lists that are held. All else about it has been verified before (TSL-8.3a).
    pub fn check(&mut self, claims: &Claims, now: Clocks) -> Verdict {
        let Some(status) = claims.status.as_ref().filter(|status| self.is_ours(&status.uri)) else {
            return Verdict::Refused(Refusal::BadClaim);
        };
        let Some(held) = self.held.get_mut(&status.uri).filter(|held| held.left(now) > Duration::ZERO) else {
            return Verdict::Wanted(status.uri.clone());
        };
        self.uses += 1;
        held.used = self.uses;
        match held.list.statuses.status(status.index) {
            Some(0) => Verdict::Valid,
            // Suspended, and whatever else an application may mean by a status: only one value says that a token counts.
            Some(_) => Verdict::Refused(Refusal::Revoked),
            None => Verdict::Refused(Refusal::BadClaim),
        }
    }

    /// Takes a verified list in that was asked for at `asked`.
    pub fn receive(&mut self, list: StatusList, asked: Clocks) -> Result<(), Older> {
        if self.held.get(&list.uri).is_some_and(|held| held.list.issued_at > list.issued_at) {
            return Err(Older);
        }
        self.uses += 1;
        self.held.insert(list.uri.clone(), Held { list, asked, used: self.uses });
        if self.held.len() > MOST_LISTS {
            let oldest = self.held.iter().min_by_key(|(_, held)| held.used).map(|(uri, _)| uri.clone());
            oldest.and_then(|uri| self.held.remove(&uri));
        }
        Ok(())
    }

    /// Takes in that the list has not changed since: who was asked at `asked` said so. `exp` stands.
    pub fn confirm(&mut self, uri: &str, asked: Clocks) {
        if let Some(held) = self.held.get_mut(uri) {
            held.asked = asked;
        }
    }

    /// Whether a list that may still be used should be fetched anew: three quarters of its time are over.
    pub fn is_due(&self, uri: &str, now: Clocks) -> bool {
        self.held.get(uri).is_none_or(|held| held.left(now) <= held.list.ttl / 4)
    }

    /// Whether a list is held and may be used.
    pub fn is_usable(&self, uri: &str, now: Clocks) -> bool {
        self.held.get(uri).is_some_and(|held| held.left(now) > Duration::ZERO)
    }

    /// Whether a list is held, over or not.
    pub fn holds(&self, uri: &str) -> bool {
        self.held.contains_key(uri)
    }

    /// How many lists are held.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Exactly the issuer's, then one name: no path, query, fragment or escape.
    fn is_ours(&self, uri: &str) -> bool {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let name = uri.strip_prefix(&self.prefix).map(str::as_bytes);
        name.is_some_and(|name| (1..=LONGEST_NAME).contains(&name.len()) && name.iter().copied().all(allowed))
    }
}

impl Held {
    /// For how long it may still be used. A wall clock that was set back before the list was asked for says nothing.
    fn left(&self, now: Clocks) -> Duration {
        let ttl = self.list.ttl;
        if now.wall < self.asked.wall {
            return Duration::ZERO;
        }
        let by_boot = ttl.saturating_sub(now.boot.since(self.asked.boot));
        let by_wall = ttl.saturating_sub(now.wall.since(self.asked.wall));
        let by_exp = Timestamp::from_seconds(self.list.expires_at).since(now.wall);
        by_boot.min(by_wall).min(by_exp)
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_LISTS, Older, StatusLists, Verdict};
    use crate::claims::{Claims, Dates, Kind};
    use crate::refusal::Refusal;
    use crate::status_list::{StatusList, StatusReference, Statuses};
    use crate::time::{Clocks, Tick, Timestamp};
    use std::time::Duration;

    const ISSUER: &str = "https://app.example.com";
    const START: i64 = 1_795_260_600;

    fn at(millis: i64) -> Clocks {
        Clocks { boot: Tick::from_millis(millis), wall: Timestamp::from_seconds(START).shifted(millis) }
    }

    fn uri(name: &str) -> String {
        format!("{ISSUER}/status-lists/{name}")
    }

    fn claims(uri: &str, index: u32) -> Claims {
        let id = "AgICAgICAgICAgICAgICAg";
        let payload = serde_json::json!({
            "iss": ISSUER, "sub": id, "aud": "web", "client_id": "web", "exp": START + 240, "iat": START, "jti": id, "sid": id,
            "auth_time": START, "acr": "aal1", "amr": [], "status": { "status_list": { "idx": index, "uri": uri } },
        });
        Claims::read(payload.to_string().as_bytes(), Kind { dates: Dates::Numeric, private: false }).expect("claims")
    }

    /// Two bits each: 0, 1, 2, 3.
    fn list(name: &str, issued_at: i64) -> StatusList {
        let statuses = Statuses::decode(2, "eNp7AgAA5QDl").expect("a list");
        let ttl = Duration::from_mins(1);
        StatusList { uri: uri(name), issued_at, expires_at: START + 3600, ttl, statuses }
    }

    fn held() -> StatusLists {
        let mut lists = StatusLists::new(ISSUER);
        lists.receive(list("1", START), at(0)).expect("the first");
        lists
    }

    #[test]
    fn tsl_7_1_only_the_value_zero_counts_and_an_index_beyond_the_end_is_none() {
        let mut lists = held();
        for (index, expected) in [
            (0, Verdict::Valid),
            (1, Verdict::Refused(Refusal::Revoked)),
            (2, Verdict::Refused(Refusal::Revoked)),
            (3, Verdict::Refused(Refusal::Revoked)),
            (4, Verdict::Refused(Refusal::BadClaim)),
            (u32::MAX, Verdict::Refused(Refusal::BadClaim)),
        ] {
            assert_eq!(lists.check(&claims(&uri("1"), index), at(1)), expected, "{index}");
        }
        let none = Claims { status: None, ..claims(&uri("1"), 0) };
        assert_eq!(lists.check(&none, at(1)), Verdict::Refused(Refusal::BadClaim));
    }

    #[test]
    fn tsl_11_a_token_makes_nobody_fetch_from_elsewhere() {
        let mut lists = held();
        assert_eq!(lists.check(&claims(&uri("2"), 0), at(1)), Verdict::Wanted(uri("2")));
        let long = "a".repeat(65);
        for name in ["", "/", "../1", "1/2", "1?a", "1#a", "%2e", "1 ", "\u{e9}", ".", "1.", long.as_str()] {
            let verdict = lists.check(&claims(&uri(name), 0), at(1));
            assert_eq!(verdict, Verdict::Refused(Refusal::BadClaim), "{name}");
        }
        for elsewhere in [
            "https://app.example.com.evil.example/status-lists/1",
            "https://app.example.com@evil.example/status-lists/1",
            "http://app.example.com/status-lists/1",
            "https://app.example.com:443/status-lists/1",
            "https://APP.example.com/status-lists/1",
            "https://app.example.com//status-lists/1",
            "https://app.example.com/status-lists",
            "https://169.254.169.254/status-lists/1",
            "",
        ] {
            assert_eq!(lists.check(&claims(elsewhere, 0), at(1)), Verdict::Refused(Refusal::BadClaim), "{elsewhere}");
        }
        let status = Some(StatusReference { index: 0, uri: uri("1") });
        assert_eq!(lists.check(&Claims { status, ..claims(&uri("9"), 0) }, at(1)), Verdict::Valid);
    }

    #[test]
    fn tsl_11_an_older_list_does_not_replace_a_newer_one() {
        let mut lists = held();
        assert_eq!(lists.receive(list("1", START - 1), at(30_000)), Err(Older));
        assert_eq!(lists.check(&claims(&uri("1"), 0), at(59_999)), Verdict::Valid);
        // Nor has it renewed anything.
        assert_eq!(lists.check(&claims(&uri("1"), 0), at(60_000)), Verdict::Wanted(uri("1")));
        assert_eq!(lists.receive(list("1", START - 1), at(60_000)), Err(Older), "also where what is held is over");
        assert_eq!(lists.receive(list("1", START), at(60_000)), Ok(()));
        assert_eq!(lists.receive(list("1", START + 1), at(60_000)), Ok(()));
        assert_eq!(lists.receive(list("2", START - 1), at(0)), Ok(()), "each by itself");
        assert_eq!(lists.check(&claims(&uri("1"), 0), at(100_000)), Verdict::Valid);
    }

    #[test]
    fn tsl_13_a_list_is_over_after_its_ttl_by_either_clock_or_at_its_end() {
        let token = claims(&uri("1"), 0);
        let wanted = || Verdict::Wanted(uri("1"));
        let mut lists = held();
        assert!(!lists.is_due(&uri("1"), at(44_999)));
        assert!(lists.is_due(&uri("1"), at(45_000)));
        assert!(lists.is_due(&uri("2"), at(0)));
        assert!(lists.is_usable(&uri("1"), at(59_999)) && !lists.is_usable(&uri("1"), at(60_000)));
        for (boot, wall) in [(60_000, 0), (0, 60_000), (0, -1), (1, -3_600_000)] {
            let now = Clocks { boot: at(boot).boot, wall: at(wall).wall };
            assert_eq!(lists.check(&token, now), wanted(), "{boot} {wall}");
        }
        lists.confirm(&uri("1"), at(50_000));
        assert_eq!(lists.check(&token, at(109_999)), Verdict::Valid);
        assert_eq!(lists.check(&token, at(110_000)), wanted());
        // However often it is confirmed.
        lists.confirm(&uri("1"), at(3_590_000));
        assert_eq!(lists.check(&token, at(3_599_999)), Verdict::Valid);
        assert_eq!(lists.check(&token, at(3_600_000)), wanted());
    }

    #[test]
    fn the_lists_least_recently_used_go() {
        let mut lists = held();
        for name in 2..1000 {
            lists.receive(list(&name.to_string(), START), at(0)).expect("a new one");
            assert_eq!(lists.check(&claims(&uri("1"), 0), at(1)), Verdict::Valid);
            assert!(lists.len() <= MOST_LISTS && !lists.is_empty());
        }
        assert_eq!(lists.check(&claims(&uri("2"), 0), at(1)), Verdict::Wanted(uri("2")));
        assert_eq!(lists.check(&claims(&uri("999"), 0), at(1)), Verdict::Valid);
    }
}

//! Tokens verified a moment ago, so that the signature is checked once per token and not once per request.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// How many of a token's last bytes its place depends on.
const SIGNIFICANT: usize = 32;

/// A bounded set of verified tokens with what was learnt of each.
///
/// Two generations: when the younger is full it becomes the older, and the older is dropped. A token in use moves up.
/// Memory is bounded by `2 × capacity` entries; nothing is scanned. The caller must check times and revocation on
/// every use: a hit says that the signature was good, not that the token still is.
///
/// The map is keyed by a randomly keyed hash of the token, and a hit is confirmed against the whole token in constant
/// time, so neither collisions nor timing help to find one.
#[derive(Debug)]
pub struct VerifiedTokens<T> {
    hasher: RandomState,
    capacity: usize,
    young: HashMap<u64, (Box<str>, T)>,
    old: HashMap<u64, (Box<str>, T)>,
}

impl<T: Clone> VerifiedTokens<T> {
    /// For at most `2 × capacity` tokens.
    pub fn new(capacity: usize) -> Self {
        Self { hasher: RandomState::new(), capacity: capacity.max(1), young: HashMap::new(), old: HashMap::new() }
    }

    /// What was learnt of this token when it was verified.
    pub fn get(&mut self, token: &str) -> Option<T> {
        let hash = self.hash(token);
        if let Some(found) = self.young.get(&hash) {
            return same(&found.0, token).then(|| found.1.clone());
        }
        let (stored, value) = self.old.remove(&hash)?;
        if !same(&stored, token) {
            return None;
        }
        self.put(hash, stored, value.clone());
        Some(value)
    }

    /// Remembers a token whose signature has just been verified.
    pub fn insert(&mut self, token: &str, value: T) {
        let hash = self.hash(token);
        self.put(hash, token.into(), value);
    }

    /// Of the signature alone: it is as good as random, and a tenth of the bytes. In a PASETO a footer follows it, which is the same in
    /// all tokens of a key.
    fn hash(&self, token: &str) -> u64 {
        let signed = if token.starts_with(crate::paseto::HEADER) {
            token.rsplit_once('.').map(|(signed, _)| signed)
        } else {
            None
        };
        let bytes = signed.unwrap_or(token).as_bytes();
        self.hasher.hash_one(&bytes[bytes.len().saturating_sub(SIGNIFICANT)..])
    }

    /// Forgets everything, as when a key has been revoked.
    pub fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }

    fn put(&mut self, hash: u64, token: Box<str>, value: T) {
        if self.young.len() >= self.capacity && !self.young.contains_key(&hash) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(hash, (token, value));
    }
}

fn same(a: &str, b: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a.as_bytes(), b.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::VerifiedTokens;

    #[test]
    fn pasetos_of_one_key_do_not_push_each_other_out() {
        let mut cache = VerifiedTokens::new(100);
        let token = |n: u32| format!("v4.public.{n:064}.the-same-footer-in-every-token-of-a-key");
        for n in 0..50 {
            cache.insert(&token(n), n);
        }
        assert!((0..50).all(|n| cache.get(&token(n)) == Some(n)));
    }

    #[test]
    fn a_token_in_use_stays_and_the_rest_is_bounded() {
        let mut cache = VerifiedTokens::new(10);
        cache.insert("kept", 0);
        for n in 1..1000 {
            cache.insert(&format!("token {n}"), n);
            assert_eq!(cache.get("kept"), Some(0));
        }
        assert!(cache.young.len() + cache.old.len() <= 20);
        assert_eq!(cache.get("token 1"), None);
        cache.clear();
        assert_eq!(cache.get("kept"), None);
    }
}

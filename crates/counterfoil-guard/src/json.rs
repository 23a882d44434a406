//! JSON read strictly: an object whose member names are not unique is refused, at any depth (JWS-4, JWT-4, ATK-13).
//!
//! `serde_json` keeps the last of two members with one name and says nothing; two readers that disagree about which
//! of two `sub` members counts are an authentication bypass. Names are compared after unescaping.

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

/// How deep objects and arrays may nest in what the guard reads.
pub const MAX_DEPTH: usize = 8;

/// Any JSON value; deserialising it fails on duplicate names and on nesting beyond [`MAX_DEPTH`]. Keeps nothing.
#[derive(Debug)]
pub struct Strict;

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(StrictVisitor { depth: 0 })
    }
}

/// A struct that is read from an object only; serde's derive also takes an array of the members' values in order.
#[derive(Debug)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }
        from.deserialize_map(Members(PhantomData))
    }
}

/// For a member that may be left out: `null` is a value of the wrong kind, and not its absence.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// Reads a struct from an object whose member names are unique at any depth, known and unknown ones alike.
pub fn parse_object<T: serde::de::DeserializeOwned>(text: &[u8]) -> Option<T> {
    serde_json::from_slice::<Strict>(text).ok()?;
    serde_json::from_slice(text).ok().map(|Object(read)| read)
}

#[derive(Clone, Copy)]
pub(crate) struct StrictVisitor {
    depth: usize,
}

impl StrictVisitor {
    /// For the values of an object that somebody else reads.
    pub(crate) const MEMBER: Self = Self { depth: 1 };

    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom("nested too deeply"));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> serde::de::DeserializeSeed<'de> for StrictVisitor {
    type Value = Strict;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Strict, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Strict;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_str<E>(self, _: &str) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_unit<E>(self) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Strict, A::Error> {
        let inner = self.deeper()?;
        while items.next_element_seed(inner)?.is_some() {}
        Ok(Strict)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Strict, A::Error> {
        let inner = self.deeper()?;
        let mut seen = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if !seen.insert(name) {
                return Err(A::Error::custom("duplicate member name"));
            }
            members.next_value_seed(inner)?;
        }
        Ok(Strict)
    }
}

#[cfg(test)]
mod tests {
    use super::Strict;

    fn accepts(text: &str) -> bool {
        serde_json::from_str::<Strict>(text).is_ok()
    }

    #[test]
    fn atk13_duplicate_names_are_refused_at_any_depth_and_in_any_spelling() {
        assert!(accepts(r#"{"a":1,"b":[{"a":1}],"c":null}"#));
        assert!(!accepts(r#"{"a":1,"a":2}"#));
        assert!(!accepts(r#"{"a":1,"\u0061":2}"#));
        assert!(!accepts(r#"{"x":{"a":1,"a":1}}"#));
        assert!(!accepts(r#"[[{"a":1,"a":1}]]"#));
    }

    #[test]
    fn atk21_nesting_is_bounded() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(accepts(&nested(8)));
        assert!(!accepts(&nested(9)));
    }
}

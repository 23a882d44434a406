//! `application/x-www-form-urlencoded`, read strictly: what two readers could read in two ways is refused.

use super::error::OAuthError;
use crate::http::extract::{MAX_BODY, read_body};
use axum::extract::Request;
use counterfoil_core::Secret;
use http::{HeaderMap, header};

/// More parameters than anybody sends.
const MOST_PARAMETERS: usize = 32;

/// The parameters of a request, each at most once; those without a value are as good as absent (TOK-5).
#[derive(Debug)]
pub(super) struct Form(Vec<(String, Secret<String>)>);

impl Form {
    /// Reads the body of a request. Its size is limited before it is taken in.
    pub(super) async fn read(request: Request) -> Result<Self, OAuthError> {
        if !is_form(request.headers()) {
            return Err(OAuthError::invalid_request("send Content-Type: application/x-www-form-urlencoded"));
        }
        let body = read_body::<MAX_BODY>(request).await?;
        Self::parse(body.expose())
    }

    /// The value of a parameter.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.expose().as_str())
    }

    /// The value of a parameter that must be there.
    pub(super) fn token(&self) -> Result<&str, OAuthError> {
        self.value("token").ok_or(OAuthError::invalid_request("the parameter token is missing"))
    }

    fn parse(body: &[u8]) -> Result<Self, OAuthError> {
        const UNREADABLE: OAuthError = OAuthError::invalid_request("the body is not form-urlencoded UTF-8");
        let mut names: Vec<String> = Vec::new();
        let mut parameters = Vec::new();
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let (name, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
            let (name, value) = (decode(name).ok_or(UNREADABLE)?, Secret::new(decode(value).ok_or(UNREADABLE)?));
            // Compared as decoded, so that no spelling hides a second one (TOK-3).
            if names.contains(&name) {
                return Err(OAuthError::invalid_request("a parameter stands twice"));
            }
            if names.len() == MOST_PARAMETERS {
                return Err(OAuthError::invalid_request("there are more than 32 parameters"));
            }
            names.push(name.clone());
            if !value.expose().is_empty() {
                parameters.push((name, value));
            }
        }
        Ok(Self(parameters))
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else { return false };
    let essence = only.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// One name or value, or one half of a Basic credential (RFC 6749 section 2.3.1). `None` for a percent sign that begins
/// nothing, and for what is not UTF-8: no lossy conversion (ATK-15).
pub(super) fn decode(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let ([high, low], after) = rest.split_first_chunk::<2>()?;
                bytes.push(hex(*high)? << 4 | hex(*low)?);
                rest = after;
            }
            plain => bytes.push(*plain),
        }
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::{Form, decode};
    use proptest::prelude::*;

    fn token(body: &str) -> Option<String> {
        Form::parse(body.as_bytes()).expect(body).value("token").map(str::to_owned)
    }

    #[test]
    fn tok_5_what_is_read_and_what_is_as_good_as_absent() {
        for (body, expected) in [
            ("token=a", Some("a")),
            ("x=y&token=a", Some("a")),
            ("&&token=a&", Some("a")),
            ("%74oken=a", Some("a")),
            ("token=a%2Bb+c%26d%3D=e", Some("a+b c&d==e")),
            ("token=%C3%A9%c3%a9", Some("éé")),
            ("token=", None),
            ("token", None),
            ("Token=a", None),
            ("", None),
            ("=a", None),
        ] {
            assert_eq!(token(body).as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn tok_3_atk15_what_can_be_read_in_two_ways_or_in_none_is_refused() {
        let many = (0..33).map(|n| format!("p{n}=x")).collect::<Vec<_>>().join("&");
        for body in [
            "token=a&token=a",
            "token=a&token=b",
            "token=&token=b",
            "token&token=b",
            "token=a&%74%6Fken=b",
            "other=1&other=2&token=a",
            "token=%",
            "token=%4",
            "token=%zz",
            "token=%+1",
            "%=a",
            "token=%ff",
            "token=%C3",
            many.as_str(),
        ] {
            assert!(Form::parse(body.as_bytes()).is_err(), "{body}");
        }
        assert!(Form::parse(b"token=\xff").is_err());
    }

    fn encode(text: &str) -> String {
        text.bytes().fold(String::new(), |all, byte| format!("{all}%{byte:02x}"))
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(value in ".{1,40}", plain in "[A-Za-z0-9_.-]{1,40}") {
            prop_assert_eq!(token(&format!("token={}", encode(&value))), Some(value));
            prop_assert_eq!(token(&format!("token={plain}")), Some(plain));
        }

        #[test]
        fn no_bytes_make_it_panic_or_read_a_parameter_twice(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(form) = Form::parse(&body) {
                let mut names: Vec<_> = form.0.iter().map(|(name, _)| name).collect();
                names.sort();
                names.dedup();
                prop_assert_eq!(names.len(), form.0.len());
            }
        }

        #[test]
        fn without_percent_or_plus_decoding_changes_nothing(text in "[^%+]{0,40}") {
            prop_assert_eq!(decode(text.as_bytes()), Some(text));
        }
    }
}

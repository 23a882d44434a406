//! Cookies as a browser keeps them: by name and path, for this one site.

use super::observed::Answer;
use super::set_cookie;
use counterfoil_core::Secret;

/// What has been set and not taken away.
#[derive(Clone, Default)]
pub(super) struct Jar(Vec<Kept>);

#[derive(Clone)]
struct Kept {
    name: String,
    path: String,
    value: Secret<String>,
}

impl Jar {
    pub(super) fn keep(&mut self, answer: &Answer) {
        for cookie in set_cookie::all(&answer.headers, answer.received) {
            let path = cookie.path.clone().unwrap_or_else(|| "/".into());
            self.0.retain(|kept| kept.name != cookie.name || kept.path != path);
            if !cookie.is_deletion() {
                self.0.push(Kept { name: cookie.name, path, value: cookie.value });
            }
        }
    }

    /// The `Cookie` header of a request for this path, if there is anything to say.
    pub(super) fn header(&self, path: &str) -> Option<String> {
        let sent = self.0.iter().filter(|kept| path.starts_with(&kept.path));
        let pairs: Vec<String> = sent.map(|kept| format!("{}={}", kept.name, kept.value.expose())).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Jar};

    #[test]
    fn cookies_go_where_their_path_says_until_they_are_taken_away() {
        let set = |text: &str| {
            let mut answer = Answer::default();
            answer.headers.append("set-cookie", text.parse().expect("a header"));
            answer
        };
        let mut jar = Jar::default();
        jar.keep(&set("a=1; Path=/"));
        jar.keep(&set("b=2; Path=/refresh"));
        assert_eq!(jar.header("/me").as_deref(), Some("a=1"));
        assert_eq!(jar.header("/refresh").as_deref(), Some("a=1; b=2"));
        jar.keep(&set("a=; Path=/; Max-Age=0"));
        assert_eq!(jar.header("/me"), None);
    }
}

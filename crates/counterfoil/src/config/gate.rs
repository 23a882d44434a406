//! `[gate]`: who may do what behind the proxy that asks `/gate`.

use super::{ConfigError, Span};
use counterfoil_core::gate::{Allow, Csrf, Demand, Place, RequestPath, Rule, parse_host};
use counterfoil_core::session::Assurance;
use counterfoil_core::user::Role;
use serde::Deserialize;

/// `[gate]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GateConfig {
    /// The audience of the token that the server behind is handed; `None`: it is handed none.
    pub upstream_audience: Option<String>,
    /// Where something else holds than "signed in".
    pub rules: Vec<RuleConfig>,
}

/// `[[gate.rules]]`, checked.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct RuleConfig(pub Rule);

/// `[[gate.rules]]` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    host: Option<String>,
    path: Option<String>,
    exact: Option<String>,
    #[serde(default)]
    methods: Vec<String>,
    #[serde(default = "signed_in")]
    allow: String,
    acr: Option<String>,
    max_age: Option<Span>,
    csrf: Option<WrittenCsrf>,
    upstream_audience: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WrittenCsrf {
    Full,
    OriginOnly,
}

fn signed_in() -> String {
    "signed-in".into()
}

impl GateConfig {
    /// The audiences of the servers behind.
    pub fn audiences(&self) -> impl Iterator<Item = &String> {
        self.rules.iter().filter_map(|rule| rule.0.audience.as_ref()).chain(&self.upstream_audience)
    }

    /// `applications` are their audiences: a token handed to a server behind must not open `/api/auth`.
    pub(super) fn check(&self, applications: &[String]) -> Result<(), ConfigError> {
        check_audience("gate.upstream_audience", self.upstream_audience.as_ref(), applications)?;
        for (place, RuleConfig(rule)) in self.rules.iter().enumerate() {
            let key = format!("gate.rules[{place}]");
            check_audience(&format!("{key}.upstream_audience"), rule.audience.as_ref(), applications)?;
            if let Some(earlier) = self.rules[..place].iter().position(|RuleConfig(earlier)| earlier.contradicts(rule))
            {
                let reason = format!("says something else about the same requests as gate.rules[{earlier}]");
                return Err(ConfigError::key(key, reason));
            }
        }
        Ok(())
    }
}

fn check_audience(key: &str, audience: Option<&String>, applications: &[String]) -> Result<(), ConfigError> {
    let Some(audience) = audience else { return Ok(()) };
    if audience.is_empty() || audience.len() > 200 {
        return Err(ConfigError::key(key, "must have 1 to 200 bytes"));
    }
    if applications.contains(audience) {
        let reason =
            format!("\"{audience}\" is the audience of an application; the server behind needs one of its own");
        return Err(ConfigError::key(key, reason));
    }
    Ok(())
}

impl TryFrom<Written> for RuleConfig {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let acr = written.acr.as_deref().map(assurance).transpose()?;
        let max_age = written.max_age;
        if let Some(span) = max_age {
            span.within("max_age", Span::seconds(10), Span::seconds(86_400)).map_err(|error| error.to_string())?;
        }
        let only_signed_in =
            acr.is_some() || max_age.is_some() || written.csrf.is_some() || written.upstream_audience.is_some();
        let demand = |role| Allow::SignedIn(Demand { role, acr, max_age: max_age.map(|span| span.0) });
        let allow = match written.allow.as_str() {
            "public" if only_signed_in => {
                return Err("a public path asks nobody who they are; leave out `acr`, `max_age`, `csrf` and `upstream_audience`".into());
            }
            "public" => Allow::Public,
            "signed-in" => demand(None),
            other => demand(Some(role(other)?)),
        };
        let host = |text: String| {
            // Without a port: the rule is about the name.
            parse_host(&text).filter(|host| *host == text).ok_or_else(|| {
                format!("`host`: found \"{text}\"; expected a host's name in lower case, such as \"app.example.com\"")
            })
        };
        Ok(Self(Rule {
            host: written.host.map(host).transpose()?,
            place: place(written.path, written.exact)?,
            methods: methods(written.methods)?,
            allow,
            csrf: match written.csrf {
                Some(WrittenCsrf::OriginOnly) => Csrf::OriginOnly,
                Some(WrittenCsrf::Full) | None => Csrf::Full,
            },
            audience: written.upstream_audience,
        }))
    }
}

fn place(path: Option<String>, exact: Option<String>) -> Result<Place, String> {
    let (text, place): (_, fn(String) -> Place) = match (path, exact) {
        (Some(path), None) => (path, Place::Below),
        (None, Some(path)) => (path, Place::Exactly),
        _ => return Err("give `path` or `exact`, one of them".into()),
    };
    let plain = !text.contains(['%', '?']) && (text == "/" || !text.ends_with('/'));
    if !plain || RequestPath::parse(&text).is_none() {
        return Err(format!(
            "found \"{text}\"; a path begins with / and does not end with it, has no empty or dot segments, no \\ ; # ?, and is \
             written as it is read, without %"
        ));
    }
    Ok(place(text))
}

fn methods(methods: Vec<String>) -> Result<Vec<String>, String> {
    for method in &methods {
        if method == "HEAD" {
            return Err("`methods`: leave HEAD out; GET includes HEAD".into());
        }
        if method.is_empty() || !method.bytes().all(|b| b.is_ascii_uppercase() || b == b'-') {
            return Err(format!("`methods`: found \"{method}\"; expected methods in capitals, such as \"POST\""));
        }
    }
    Ok(methods)
}

fn role(allow: &str) -> Result<Role, String> {
    allow.strip_prefix("role:").and_then(Role::parse).ok_or_else(|| {
        format!(
            "`allow`: found \"{allow}\"; allowed are \"public\", \"signed-in\" and \"role:NAME\", where a name has 1 to 32 \
             characters of a-z, 0-9, - and _ and begins with a letter"
        )
    })
}

fn assurance(name: &str) -> Result<Assurance, String> {
    Assurance::from_name(name).ok_or_else(|| format!("`acr`: found \"{name}\"; allowed are \"aal1\" and \"aal2\""))
}

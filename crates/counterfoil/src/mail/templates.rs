//! What letters say: a text for each, from which the HTML is made, so that the two cannot differ. An operator replaces any of them, and
//! `layout.html`, by a file of the same name.

use super::{Letter, Seen, What};
use crate::clock::on_the_system;
use crate::public_url::PublicUrl;
use counterfoil_core::credential::mail_link::Purpose;
use counterfoil_core::{Secret, Timestamp};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The document around the HTML of every letter.
const LAYOUT: (&str, &str) = ("layout.html", include_str!("../../mails/layout.html"));

/// The end of letters that somebody may not have expected.
const UNEXPECTED: (&str, &str) = ("unexpected.txt", include_str!("../../mails/unexpected.txt"));

/// Why a template cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// It cannot be read.
    #[error("mail.templates: {path}: {reason}")]
    Unreadable {
        /// Which file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// There is no letter of that name.
    #[error("mail.templates: {0} is the name of no template; they are listed in the guide to mail")]
    Unknown(String),
    /// It does not say what it must.
    #[error("mail.templates: {name}: {reason}")]
    Wrong {
        /// Which template.
        name: String,
        /// What is wrong.
        reason: String,
    },
}

/// A letter in words.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) subject: String,
    pub(super) plain: Secret<String>,
    pub(super) html: Secret<String>,
}

/// All templates.
pub(super) struct Templates {
    environment: Environment<'static>,
    service: String,
    public: PublicUrl,
}

impl Templates {
    /// The built-in ones, and in their place those of `folder`. Each is filled in once, so that a mistake is said now.
    pub(super) fn load(folder: Option<&Path>, service: &str, public: &PublicUrl) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_auto_escape_callback(|name| {
            if Path::new(name).extension().is_some_and(|end| end == "html") {
                AutoEscape::Html
            } else {
                AutoEscape::None
            }
        });
        let built_in = What::ALL.iter().map(|what| (file_of(*what), what.built_in()));
        for (name, source) in built_in.chain([LAYOUT, UNEXPECTED].map(|(name, source)| (name.to_owned(), source))) {
            environment.add_template_owned(name.clone(), source).map_err(|error| wrong(&name, &error))?;
        }
        for (name, source) in folder.map(read).transpose()?.unwrap_or_default() {
            environment.get_template(&name).map_err(|_| TemplateError::Unknown(name.clone()))?;
            environment.add_template_owned(name.clone(), source).map_err(|error| wrong(&name, &error))?;
        }
        let templates = Self { environment, service: service.to_owned(), public: public.clone() };
        for what in What::ALL {
            templates.write(&sample(*what))?;
        }
        Ok(templates)
    }

    /// Fills one in.
    pub(super) fn write(&self, letter: &Letter) -> Result<Text, TemplateError> {
        let name = file_of(letter.what);
        let link = letter.link.as_ref().map(|(purpose, token)| {
            Secret::new(self.public.absolute(&format!("/mail/{}#{}", purpose.as_str(), token.expose())))
        });
        let values = self.values(letter, link.as_ref());
        let render = |name: &str, values: &Value| {
            let template = self.environment.get_template(name).map_err(|error| wrong(name, &error))?;
            template.render(values).map_err(|error| wrong(name, &error))
        };
        let whole = Secret::new(render(&name, &values)?);
        let missing = |reason: &str| TemplateError::Wrong { name: name.clone(), reason: reason.to_owned() };
        let (head, body) =
            whole.expose().split_once("\n\n").ok_or_else(|| missing("after its head comes an empty line"))?;
        let field = |field: &str| head.lines().find_map(|line| line.strip_prefix(field)).map(str::trim);
        let subject =
            field("Subject:").filter(|subject| !subject.is_empty()).ok_or_else(|| missing("it has no `Subject:`"))?;
        let says =
            |secret: Option<&Secret<String>>| secret.is_none_or(|secret| body.contains(secret.expose().as_str()));
        if !says(link.as_ref()) || !says(letter.code.as_ref()) {
            return Err(missing("it does not say `{{ link }}`, or `{{ code }}` where there is one"));
        }
        let label = field("Button:").unwrap_or("Open");
        let parts: Vec<Value> = body.split("\n\n").map(|part| part_of(part, link.as_ref(), label)).collect();
        let html = render(LAYOUT.0, &context! { subject, parts, service => self.service.as_str() })?;
        Ok(Text {
            subject: subject.to_owned(),
            plain: Secret::new(body.trim_end().to_owned() + "\n"),
            html: Secret::new(html),
        })
    }

    fn values(&self, letter: &Letter, link: Option<&Secret<String>>) -> Value {
        let seen = letter.seen.as_ref();
        context! {
            service => self.service.as_str(),
            link => link.map(|link| link.expose().as_str()),
            code => letter.code.as_ref().map(|code| code.expose().as_str()),
            lasts => letter.link.as_ref().map(|(purpose, _)| in_words(purpose.lasts())),
            sign_in => self.public.absolute("/login"),
            forgot => self.public.absolute("/forgot"),
            account => self.public.absolute("/account"),
            at => seen.map(|seen| in_figures(seen.at)),
            network => seen.map(|seen| seen.network.as_str()),
            device => seen.map(|seen| seen.device.as_str()),
        }
    }
}

/// A paragraph of the text, as the layout draws it. A link is this server's own address and a token: nothing in it has to be escaped.
fn part_of(part: &str, link: Option<&Secret<String>>, label: &str) -> Value {
    let text = part.trim();
    match link {
        Some(link) if text == link.expose().as_str() => {
            context! { link => Value::from_safe_string(text.to_owned()), label }
        }
        _ => context! { text },
    }
}

fn file_of(what: What) -> String {
    format!("{}.txt", what.name())
}

fn wrong(name: &str, error: &minijinja::Error) -> TemplateError {
    TemplateError::Wrong { name: name.to_owned(), reason: error.to_string() }
}

/// The templates in a folder, by name.
fn read(folder: &Path) -> Result<Vec<(String, String)>, TemplateError> {
    let unreadable = |path: &Path, error: std::io::Error| TemplateError::Unreadable {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
    let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut found = Vec::new();
    for path in paths.map_err(|error| unreadable(folder, error))? {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if name.starts_with('.') {
            continue;
        }
        found.push((name, std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?));
    }
    Ok(found)
}

/// With everything that a letter can hold.
fn sample(what: What) -> Letter {
    let purpose = Purpose::ALL.into_iter().find(|purpose| What::with_link_for(*purpose) == what);
    let seen =
        Seen { at: Timestamp::from_seconds(0), network: "192.0.2.0/24".into(), device: "Firefox on Linux".into() };
    let link = purpose.map(|purpose| (purpose, Secret::new("cfm_sample".to_owned())));
    let code = (what == What::Code).then(|| Secret::new("01234567".to_owned()));
    Letter { what, link, code, seen: Some(seen) }
}

fn in_words(span: Duration) -> String {
    match span.as_secs() / 60 {
        minutes @ ..120 => format!("{minutes} minutes"),
        minutes => format!("{} hours", minutes / 60),
    }
}

/// `2026-11-29 12:40 UTC`.
fn in_figures(at: Timestamp) -> String {
    let text = humantime::format_rfc3339_seconds(on_the_system(at)).to_string();
    format!("{} {} UTC", &text[..10], &text[11..16])
}

#[cfg(test)]
mod tests {
    use super::{Letter, Templates, What, sample};
    use crate::public_url::PublicUrl;
    use std::path::Path;

    fn public() -> PublicUrl {
        PublicUrl::settle(Some("https://id.example.com"), "127.0.0.1:443".parse().expect("an address"), false)
            .expect("a URL")
    }

    fn load(folder: Option<&Path>) -> Result<Templates, String> {
        Templates::load(folder, "Tea <& Co>", &public()).map_err(|error| error.to_string())
    }

    #[test]
    fn every_letter_says_the_same_in_text_and_in_html() {
        let templates = load(None).expect("the built-in ones");
        for what in What::ALL {
            let text = templates.write(&sample(*what)).expect("written");
            assert!(!text.subject.is_empty() && !text.subject.contains("{{"), "{what:?}");
            let (plain, html) = (text.plain.expose(), text.html.expose());
            assert!(
                plain.contains("Tea <& Co>") && html.contains("Tea &lt;&amp; Co&gt;"),
                "{what:?}: escaped where it is HTML"
            );
            assert!(!html.contains("<& Co>"), "{what:?}");
            for paragraph in plain.split("\n\n").filter(|part| !part.contains(['<', '&', '\'', '\n', '"'])) {
                assert!(html.replace("&#x2f;", "/").contains(paragraph.trim()), "{what:?}: {paragraph}");
            }
            assert!(plain.lines().all(|line| line.len() <= 998), "{what:?}: RFC 5322 section 2.1.1");
        }
    }

    #[test]
    fn a_template_of_the_operators_replaces_the_built_in_one_and_a_wrong_one_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
        put("reset.txt", "Subject: Neues Passwort\nButton: Los\n\nHier:\n\n{{ link }}\n");
        let templates = load(Some(folder.path())).expect("good");
        let text = templates.write(&sample(What::Reset)).expect("written");
        assert_eq!(text.subject, "Neues Passwort");
        assert_eq!(text.plain.expose(), "Hier:\n\nhttps://id.example.com/mail/reset#cfm_sample\n");
        assert!(text.html.expose().contains(">Los</a>"));
        assert!(templates.write(&Letter::plain(What::AlreadyHere)).is_ok());
        for (source, reason) in [
            ("Subject: x\n\nno link\n", "reset.txt: it does not say `{{ link }}`"),
            ("\n\n{{ link }}\n", "it has no `Subject:`"),
            ("Subject: x\n{{ link }}", "an empty line"),
            ("Subject: {{ nothing }}\n\n{{ link }}\n", "undefined"),
            ("Subject: {{\n\n{{ link }}\n", "reset.txt: syntax error"),
        ] {
            put("reset.txt", source);
            let refused = load(Some(folder.path())).err().expect("refused");
            assert!(refused.contains(reason), "{source:?}: {refused}");
        }
        put("reset.txt", "Subject: x\n\n{{ link }}\n");
        put("resett.txt", "Subject: x\n\n{{ link }}\n");
        assert!(load(Some(folder.path())).err().expect("refused").contains("resett.txt is the name of no template"));
        assert!(load(Some(Path::new("/nowhere"))).err().expect("refused").contains("/nowhere"));
    }
}

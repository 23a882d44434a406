//! What the pages share: the document around them, the ticket, and form fields.

use crate::words::{Piece, Words};
use maud::{DOCTYPE, Markup, html};

/// A ticket seen from afar, as the tab's icon.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E\
%3Cpath fill='%230d4a42' d='M4 6h8a2 2 0 0 0 4 0h12a2 2 0 0 1 2 2v16a2 2 0 0 1-2 2H16a2 2 0 0 0-4 0H4\
a2 2 0 0 1-2-2V8a2 2 0 0 1 2-2z'/%3E%3Cpath stroke='%23fff' stroke-width='1.6' stroke-dasharray='2 2.4' \
d='M14 10v13'/%3E%3C/svg%3E";

/// The document around a page.
pub(super) struct Document<'a> {
    /// The page's own part of the title.
    pub(super) title: &'a str,
    /// The name of the service, the other part.
    pub(super) service_name: &'a str,
    /// The script of the page, by its file name.
    pub(super) script: &'a str,
    /// What it says.
    pub(super) words: &'a Words,
    /// The version of the assets.
    pub(super) asset_version: &'a str,
    /// The classes of the body element.
    pub(super) class: &'a str,
}

/// A whole page. It holds no inline script and no inline style, as the content security policy asks.
pub(super) fn document(document: &Document<'_>, body: &Markup) -> Markup {
    let words = document.words;
    // The scripts load each other with the same query: so every one of them knows the language.
    let script =
        |name: &str| format!("/assets/{name}?v={}.{}&lang={}", document.asset_version, words.version(), words.tag());
    html! {
        (DOCTYPE)
        html lang=(words.tag()) dir=(words.tag().direction()) {
            head {
                meta charset="utf-8";
                title { (document.title) " · " (document.service_name) }
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="theme-color" media="(prefers-color-scheme: light)" content="#e6ebe5";
                meta name="theme-color" media="(prefers-color-scheme: dark)" content="#0b1110";
                meta name="robots" content="noindex";
                link rel="icon" href=(ICON);
                link rel="stylesheet" href={ "/assets/app.css?v=" (document.asset_version) };
                @for name in ["messages.js", "words.js", "refresh.js", "form.js"] {
                    link rel="modulepreload" href=(script(name));
                }
                script type="module" src=(script(document.script)) {}
            }
            body class=(document.class) { (body) }
        }
    }
}

/// A message with these elements where its placeholders of their names are.
pub(super) fn placed(words: &Words, key: &str, elements: &[(&str, Markup)]) -> Markup {
    let element = |name: &str| elements.iter().find(|(known, _)| *known == name).map(|(_, element)| element);
    html! {
        @for piece in words.pieces(key) {
            @match piece {
                Piece::Text(text) => (text),
                Piece::Value(name) => @if let Some(element) = element(name) { (element) },
            }
        }
    }
}

/// The ticket of the sign-in and registration pages: the stub with the service's name, and a form.
pub(super) fn ticket(words: &Words, service_name: &str, form: &Markup) -> Markup {
    html! {
        main #main {
            div.ticket {
                header.stub {
                    p.service #service-name { (service_name) }
                    p.motto { (words.say("page.motto")) }
                }
                div.slip { (form) }
            }
        }
    }
}

/// The region in which the scripts say what happened.
pub(super) fn status() -> Markup {
    html! { p.status #status role="status" aria-live="polite" {} }
}

/// Asks before something that reaches further than one device.
pub(super) fn confirmation(words: &Words) -> Markup {
    html! {
        dialog #confirm aria-labelledby="confirm-title" aria-describedby="confirm-text" {
            h2 #confirm-title {}
            p #confirm-text {}
            div.actions {
                button #confirm-no type="button" { (words.say("page.cancel")) }
                button.danger #confirm-yes type="button" {}
            }
        }
    }
}

/// What to show where scripts do not run.
pub(super) fn without_script(words: &Words) -> Markup {
    html! {
        noscript {
            p.notice { (words.say("page.needs_script")) }
        }
    }
}

/// A labelled text field with room for its error.
pub(super) struct Field<'a> {
    /// The id and the form name.
    pub(super) id: &'a str,
    /// The label.
    pub(super) label: &'a str,
    /// What the browser may fill in.
    pub(super) autocomplete: &'a str,
    /// A sentence below the field.
    pub(super) hint: Option<&'a str>,
}

impl Field<'_> {
    /// The ids of the sentences that belong to the field.
    fn described_by(&self) -> String {
        match self.hint {
            Some(_) => format!("{id}-hint {id}-error", id = self.id),
            None => format!("{id}-error", id = self.id),
        }
    }

    /// The sentences themselves.
    fn below(&self) -> Markup {
        html! {
            @if let Some(hint) = self.hint {
                p.hint id={ (self.id) "-hint" } { (hint) }
            }
            p.error id={ (self.id) "-error" } {}
        }
    }

    /// The field for an email address.
    pub(super) fn email(&self) -> Markup {
        html! {
            div.field {
                label for=(self.id) { (self.label) }
                input id=(self.id) name=(self.id) type="email" autocomplete=(self.autocomplete)
                    autocapitalize="none" spellcheck="false" required aria-describedby=(self.described_by());
                (self.below())
            }
        }
    }

    /// A field for one line of text that may stay empty.
    pub(super) fn optional_text(&self, words: &Words) -> Markup {
        html! {
            div.field {
                label for=(self.id) { (self.label) " " span.optional { (words.say("page.optional")) } }
                input id=(self.id) name=(self.id) type="text" autocomplete=(self.autocomplete)
                    aria-describedby=(self.described_by());
                (self.below())
            }
        }
    }

    /// The field for a password, with a button to show what was typed.
    pub(super) fn password(&self, words: &Words) -> Markup {
        html! {
            div.field {
                label for=(self.id) { (self.label) }
                div.with-reveal {
                    input id=(self.id) name=(self.id) type="password" autocomplete=(self.autocomplete)
                        autocapitalize="none" spellcheck="false" required aria-describedby=(self.described_by());
                    button.reveal id={ (self.id) "-toggle" } type="button" aria-controls=(self.id) hidden {
                        span { (words.say("form.show")) }
                        span.visually-hidden { " " (self.label.to_lowercase()) }
                    }
                }
                (self.below())
            }
        }
    }
}

/// The button that sends a form. It waits for the script, which alone knows how.
pub(super) fn submit(id: &str, label: &str, busy: &str) -> Markup {
    html! { button.primary id=(id) type="submit" data-busy=(busy) disabled { (label) } }
}

use super::messages::{Message, built_in, translated};
use super::{Languages, Piece, Tag};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

/// The languages of a folder with these files, or why it is refused.
fn load(files: &[(&str, &str)]) -> Result<Languages, String> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    Languages::load(Some(folder.path())).map_err(|error| error.to_string())
}

fn german() -> Languages {
    load(&[("de.toml", "[login]\nheading = \"Anmelden\"\n"), ("pt-br.toml", "[login]\nheading = \"Entrar\"\n")])
        .expect("good")
}

#[test]
fn english_is_whole_and_its_plurals_have_what_english_has() {
    let english = built_in();
    assert!(english.len() > 500, "{}", english.len());
    for (key, message) in english {
        if let Message::Plural(texts) = message {
            assert_eq!(texts.keys().collect::<Vec<_>>(), ["one", "other"], "{key}");
            assert!(texts.values().all(|text| text.contains("{count}")), "{key}: the number decides, and is said");
        }
    }
}

#[test]
fn what_a_language_does_not_say_is_said_in_english() {
    let languages = german();
    let words = languages.of("de").expect("there");
    assert_eq!((words.say("login.heading"), words.say("login.submit")), ("Anmelden", "Sign in"));
    assert_eq!(languages.english().say("login.heading"), "Sign in");
    let script = String::from_utf8(words.script().to_vec()).expect("UTF-8");
    assert!(script.starts_with("export const language = \"de\";\nexport const messages = {"), "{script}");
    assert!(script.contains("\"login.heading\":\"Anmelden\"") && script.contains("\"login.submit\":\"Sign in\""));
}

#[test]
fn english_can_be_said_in_other_words_and_other_languages_fall_back_to_those() {
    let own =
        [("en.toml", "[login]\nheading = \"Come in\"\nsubmit = \"Go\""), ("fr.toml", "[login]\nheading = \"Entrez\"")];
    let languages = load(&own).expect("good");
    assert_eq!(languages.english().say("login.heading"), "Come in");
    let french = languages.of("fr").expect("there");
    assert_eq!((french.say("login.heading"), french.say("login.submit")), ("Entrez", "Go"));
}

#[test]
fn a_version_changes_with_any_message_and_only_then() {
    let version = |text: &str| {
        let languages = load(&[("de.toml", text)]).expect("good");
        languages.of("de").expect("there").version().to_owned()
    };
    let before = version("[login]\nheading = \"Anmelden\"");
    assert_eq!(before, version("# the same\nlogin.heading = 'Anmelden'"));
    assert_ne!(before, version("[login]\nheading = \"Anmeldung\""));
    assert_ne!(before, version("[admin.event]\nrestored = \"zurück\"\n[login]\nheading = \"Anmelden\""));
}

#[test]
fn placeholders_may_stand_anywhere_and_are_filled_in_as_text() {
    let languages = load(&[("de.toml", "[register]\nintro = \"Bei {service}: ein Konto\"")]).expect("good");
    let words = languages.of("de").expect("there");
    let pieces = [Piece::Text("Bei "), Piece::Value("service"), Piece::Text(": ein Konto")];
    assert_eq!(words.pieces("register.intro"), pieces);
    // What is filled in is looked at no more: a name may look like a placeholder.
    assert_eq!(words.with("register.intro", &[("service", "{service}")]), "Bei {service}: ein Konto");
    assert_eq!(words.with("register.password_hint", &[("count", "15")])[..22], *"At least 15 characters");
}

#[test]
fn plurals_have_the_categories_of_their_language_or_none() {
    let polish = "[form]\ntoo_short = { one = \"{count} znak\", few = \"{count} znaki\", many = \"{count} znaków\", other = \"{count} znaku\" }";
    let languages = load(&[("pl.toml", polish), ("ja.toml", "[form]\ntoo_short = \"{count}文字以上\"")]).expect("good");
    let script = |tag: &str| String::from_utf8(languages.of(tag).expect("there").script().to_vec()).expect("UTF-8");
    assert!(
        script("pl").contains("\"few\":\"{count} znaki\"")
            && script("ja").contains("\"form.too_short\":\"{count}文字以上\"")
    );
    // One of them may do without the number, but for the one that stands for all others.
    load(&[("de.toml", "[admin.services]\nentries = { one = \"ein Eintrag\", other = \"{count} Einträge\" }")])
        .expect("good");
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_name_and_the_message() {
    let cases = [
        (
            "[login]\nheadng = \"x\"",
            "de.toml: `login.headng` is the name of no message; `counterfoil messages` prints all",
        ),
        ("[logn]\nheading = \"x\"", "de.toml: `logn` is the name of no message"),
        ("login = \"x\"", "`login` is the name of no message"),
        ("[login]\nheading = 3", "`login.heading` is an integer; expected a text"),
        ("[login]\nheading = [\"x\"]", "`login.heading` is an array; expected a text"),
        ("[login.heading]\nother = \"x\"", "`login.heading` is a table; expected a text"),
        ("[login]\nheading = \" \"", "`login.heading` is empty; leave the message out"),
        (
            "[register]\nintro = \"{servise}\"",
            "`register.intro` has the placeholder {servise}; the English one has {service}",
        ),
        ("[register]\nintro = \"Konto\"", "`register.intro` lacks the placeholder {service}"),
        ("[login]\nheading = \"{name}\"", "has the placeholder {name}; the English one has none"),
        ("[login]\nheading = \"{ name }\"", "`login.heading` has a brace that is no placeholder"),
        ("[login]\nheading = \"a}\"", "has a brace"),
        ("[form]\ntoo_short = { one = \"{count}\" }", "`form.too_short` has no `other`"),
        (
            "[form]\ntoo_short = { some = \"{count}\", other = \"{count}\" }",
            "has `some`, which is no plural category; allowed are zero, one",
        ),
        ("[form]\ntoo_short = { one = 1, other = \"{count}\" }", "has `one`, which is an integer"),
        ("[form]\ntoo_short = { other = \"x\" }", "lacks the placeholder {count}"),
        ("[form]\ntoo_short = { one = \"{n}\", other = \"{count}\" }", "has the placeholder {n}"),
        ("[login\n", "de.toml: is not TOML"),
        ("[login]\nheading = \"a\"\nheading = \"b\"", "is not TOML"),
    ];
    for (text, expected) in cases {
        let refused = load(&[("de.toml", text)]).expect_err(text);
        assert!(
            refused.starts_with("configuration key `pages.messages`: ") && refused.contains(expected),
            "{text}: {refused}"
        );
    }
    let large = format!("# {}", "x".repeat(256 * 1024));
    assert!(load(&[("de.toml", &large)]).expect_err("refused").contains("is larger than 262144 bytes"));
    assert!(Languages::load(Some(Path::new("/nowhere"))).expect_err("refused").to_string().contains("/nowhere: "));
}

#[test]
fn a_file_is_named_by_its_language() {
    for name in [
        "german.toml",
        "de_DE.toml",
        "de",
        "de.json",
        "de.toml~",
        "d.toml",
        "de-.toml",
        "de-x-y.toml",
        "README.md",
        "i-klingon.toml",
    ] {
        let refused = load(&[(name, "")]).expect_err(name);
        assert!(refused.contains(name) && refused.contains("such as de.toml, pt-BR.toml"), "{name}: {refused}");
    }
    let twice = load(&[("de.toml", ""), ("DE.toml", "")]).expect_err("twice");
    assert!(twice.contains("this language is there twice"), "{twice}");
    let languages = load(&[("zh-hant-tw.toml", ""), ("es-419.toml", ""), (".de.toml.swp", "?")]).expect("good");
    assert_eq!(languages.all().map(|words| words.tag().as_str()).collect::<Vec<_>>(), ["en", "es-419", "zh-Hant-TW"]);
}

#[test]
fn right_to_left_is_told_by_the_script_or_else_by_the_language() {
    let direction = |tag: &str| Tag::parse(tag).expect(tag).direction();
    for tag in ["ar", "he", "fa", "ur", "ar-EG", "az-Arab", "uz-Arab-AF"] {
        assert_eq!(direction(tag), "rtl", "{tag}");
    }
    for tag in ["en", "de-CH", "az", "ar-Latn", "zh-Hant-TW"] {
        assert_eq!(direction(tag), "ltr", "{tag}");
    }
}

#[test]
fn rfc9110_12_5_4_the_language_is_the_one_that_the_browser_prefers() {
    let languages = german();
    let chosen = |header: &str| languages.preferred([header].into_iter()).tag().as_str().to_owned();
    for (header, expected) in [
        ("", "en"),
        ("de", "de"),
        ("DE", "de"),
        ("de-CH", "de"),
        ("de-Latn-CH, en", "de"),
        ("fr, de", "de"),
        ("fr", "en"),
        ("en-US,en;q=0.9,de;q=0.8", "en"),
        ("en;q=0.5, de;q=0.8", "de"),
        ("en;q=0.8, de;q=0.80", "en"),
        ("de;q=0, en;q=0.1", "en"),
        ("de;q=0", "en"),
        ("en;q=0, *;q=0.5", "de"),
        ("*", "en"),
        ("*, de;q=0.5", "en"),
        ("pt", "pt-BR"),
        ("pt-PT, de;q=0.1", "de"),
        ("pt-BR", "pt-BR"),
        ("de ; q=1.000 , en", "de"),
        ("de;Q=1, en;q=0.9", "de"),
        ("d, *-de, de_DE, de;q=2, de;q=0.1234, de;q=x, de;level=1, de;q=-1, de;q=1.001, de;q=.5, ;q=1, ,", "en"),
        ("<script>, \u{e9}, de", "de"),
    ] {
        assert_eq!(chosen(header), expected, "{header:?}");
    }
    let many = format!("{}de", "fr,".repeat(32));
    assert_eq!(chosen(&many), "en", "A8: a header is looked at so far and no farther");
    assert_eq!(languages.preferred(["fr", "de"].into_iter()).tag().as_str(), "de", "two headers are one list");
}

/// Every message of English, said by `text`.
fn said(text: impl Fn(&str) -> String) -> toml::Table {
    let mut table = toml::Table::new();
    for (key, message) in built_in() {
        let mut parts: Vec<&str> = key.split('.').collect();
        let last = parts.pop().expect("a name").to_owned();
        let mut place = &mut table;
        for part in parts {
            let inner = place.entry(part).or_insert_with(|| toml::Table::new().into());
            place = inner.as_table_mut().expect("a table of messages");
        }
        place.insert(last, toml::Value::String(text(message.text())));
    }
    table
}

#[test]
fn a_language_may_say_everything_in_its_own_words() {
    let all = translated(said(|text| format!("[{text}]")), &built_in()).expect("good");
    assert_eq!(all.len(), built_in().len());
    let lost = translated(said(|_| "x".to_owned()), &built_in()).expect_err("placeholders are lost");
    assert!(lost.reason.contains("lacks the placeholder"), "{lost:?}");
}

proptest! {
    #[test]
    fn no_header_makes_it_panic_or_choose_what_is_not_there(header in "([a-zA-Z*_-]{0,9}(;q=[0-9.]{0,6})?[, ]{0,2}){0,8}") {
        let languages = Languages::load(None).expect("built in");
        prop_assert_eq!(languages.preferred([header.as_str()].into_iter()).tag().as_str(), "en");
    }

    #[test]
    fn a_text_is_its_pieces(text in "[a-z{}_ ]{0,24}") {
        let whole: String = super::messages::pieces(&text).into_iter().map(|piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Value(name) => format!("{{{name}}}"),
        }).collect();
        prop_assert_eq!(whole, text);
    }

    #[test]
    fn no_file_makes_it_panic(key in "(login|form|admin\\.ban|[a-z.]{0,8})\\.[a-z_]{1,8}", text in "[a-z{} ]{0,12}") {
        let table: Result<toml::Table, _> = format!("{key} = \"{text}\"").parse();
        if let Ok(table) = table {
            drop(translated(table, &built_in()));
        }
    }
}

#[test]
fn hostile_messages_stay_text_in_the_script() {
    let hostile = "</script><img src=x onerror=alert(1)>\u{2028}\\\"'`${1}";
    let table = format!("[login]\nheading = {}", toml::Value::String(hostile.replace("${1}", "$")));
    let languages = load(&[("de.toml", &table)]).expect("text is text");
    let script = String::from_utf8(languages.of("de").expect("there").script().to_vec()).expect("UTF-8");
    let (_, json) = script.split_once("messages = ").expect("the messages");
    let read: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(json.trim_end().trim_end_matches(';')).expect("JSON and nothing else");
    assert_eq!(read["login.heading"], hostile.replace("${1}", "$"));
}

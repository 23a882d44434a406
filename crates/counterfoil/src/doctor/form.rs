//! The sign-in form of a page: where it is sent, and with which fields. A reader of just enough HTML for that; a page that builds its form
//! by script has none.

/// A form with a password in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    /// As it stands there; empty is the page's own address.
    pub(super) action: String,
    pub(super) email: String,
    pub(super) password: String,
    /// What the page wants sent along, such as a token against cross-site requests.
    pub(super) hidden: Vec<(String, String)>,
}

/// The first form that asks for a password and is sent with POST.
pub(super) fn find(html: &str) -> Option<Form> {
    let mut forms = html.split("<form").skip(1).map(|rest| rest.split("</form").next().unwrap_or(rest));
    forms.find_map(read)
}

fn read(text: &str) -> Option<Form> {
    let (head, inside) = text.split_once('>')?;
    if !attribute(head, "method").is_some_and(|method| method.eq_ignore_ascii_case("post")) {
        return None;
    }
    let mut form = Form { action: attribute(head, "action").unwrap_or_default(), ..Form::default() };
    for input in inside.split("<input").skip(1).filter_map(|rest| rest.split('>').next()) {
        let Some(name) = attribute(input, "name") else { continue };
        let kind = attribute(input, "type").unwrap_or_else(|| "text".into()).to_ascii_lowercase();
        match kind.as_str() {
            "password" if form.password.is_empty() => form.password = name,
            "hidden" => form.hidden.push((name, attribute(input, "value").unwrap_or_default())),
            "email" | "text" if form.email.is_empty() => form.email = name,
            _ => {}
        }
    }
    (!form.password.is_empty() && !form.email.is_empty()).then_some(form)
}

/// The value of an attribute of a tag.
fn attribute(tag: &str, wanted: &str) -> Option<String> {
    let mut rest = tag;
    while let Some((before, after)) = rest.split_once('=') {
        let name = before.rsplit(char::is_whitespace).next().unwrap_or(before);
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (value, left) = match quote {
            Some(quote) => after[1..].split_once(quote)?,
            None => after.split_once(char::is_whitespace).unwrap_or((after.trim_end_matches('/'), "")),
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value.replace("&amp;", "&").replace("&quot;", "\"").replace("&#x2F;", "/"));
        }
        rest = left;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Form, find};

    #[test]
    fn the_form_that_asks_for_a_password_is_found_with_its_fields() {
        let html = r#"<form method=get action="/search"><input name=q></form>
            <form class='x' method="POST" action="/session?a=1&amp;b=2"><input type="hidden" name="csrf" value="abc/=">
            <label>Mail <input type='email' name='user[email]' required></label>
            <input name="user[password]" type=password><input type=submit name=go></form>"#;
        let expected = Form {
            action: "/session?a=1&b=2".into(),
            email: "user[email]".into(),
            password: "user[password]".into(),
            hidden: vec![("csrf".into(), "abc/=".into())],
        };
        assert_eq!(find(html), Some(expected));
        for other in ["", "<form>", "<form method=post><input name=a></form>", "<form method=post action='x"] {
            assert_eq!(find(other), None, "{other}");
        }
    }
}

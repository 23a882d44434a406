//! `Set-Cookie` written by hand.

use crate::lookup::{Tree, UNKNOWN, argument};
use crate::names::is_credential;
use crate::{Report, Rule};
use oxc_ast::AstKind;
use oxc_ast::ast::Expression;
use oxc_span::GetSpan as _;

pub(crate) fn look(tree: &Tree<'_>, report: &mut Report) {
    for node in tree.semantic.nodes().iter() {
        match node.kind() {
            AstKind::CallExpression(call) => {
                let named = argument(call, 0).and_then(|name| tree.text(name));
                if named.is_some_and(|name| name.eq_ignore_ascii_case("set-cookie"))
                    && let Some(value) = argument(call, 1)
                {
                    each(tree, value, report);
                }
            }
            AstKind::ObjectProperty(property)
                if property.key.static_name().is_some_and(|name| name.eq_ignore_ascii_case("set-cookie")) =>
            {
                each(tree, &property.value, report);
            }
            _ => {}
        }
    }
}

fn each(tree: &Tree<'_>, value: &Expression<'_>, report: &mut Report) {
    if let Expression::ArrayExpression(list) = tree.resolve(value) {
        for element in list.elements.iter().filter_map(|element| element.as_expression()) {
            judge(tree, element, report);
        }
        return;
    }
    judge(tree, value, report);
}

fn judge(tree: &Tree<'_>, value: &Expression<'_>, report: &mut Report) {
    let resolved = tree.resolve(value);
    // A call that makes it is judged where it is.
    if matches!(resolved, Expression::CallExpression(_)) {
        return;
    }
    let Some(text) = tree.text(value) else { return };
    let Some((name, rest)) = text.split_once('=') else { return };
    let mut attributes = rest.split(';').map(|part| part.trim().to_ascii_lowercase());
    let empty = attributes.next().is_none_or(|value| value.is_empty());
    let attributes: Vec<String> = attributes.collect();
    let over = attributes.iter().any(|attribute| attribute == "max-age=0");
    if empty
        || over
        || !is_credential(name.trim())
        || attributes.iter().any(|attribute| attribute.contains(UNKNOWN) && !attribute.contains('='))
    {
        return;
    }
    let has = |wanted: &str| attributes.iter().any(|attribute| attribute.split('=').next() == Some(wanted));
    for (rule, name) in [
        (Rule::CookieWithoutHttponly, "httponly"),
        (Rule::CookieWithoutSecure, "secure"),
        (Rule::CookieWithoutSamesite, "samesite"),
    ] {
        if !has(name) {
            report.at(rule, resolved.span().start);
        }
    }
}

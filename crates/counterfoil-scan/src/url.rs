//! Tokens in URLs (RFC 6750 section 5.3), made or read.

use crate::jwt::{Library, Uses, Verb, names_around};
use crate::lookup::{Declared, Tree, UNKNOWN, argument, bare};
use crate::names::{is_link, is_link_path, is_token};
use crate::{Report, Rule};
use oxc_ast::AstKind;
use oxc_ast::ast::{CallExpression, Expression, ObjectPropertyKind};
use oxc_semantic::NodeId;
use oxc_span::GetSpan as _;

pub(crate) fn look(tree: &Tree<'_>, uses: &Uses<'_, '_>, report: &mut Report) {
    for node in tree.semantic.nodes().iter() {
        let id = node.id();
        match node.kind() {
            AstKind::TemplateLiteral(template) => {
                let mut parts = Vec::new();
                for (at, quasi) in template.quasis.iter().enumerate() {
                    parts.push(Part::Text(quasi.value.raw.to_string()));
                    parts.extend(template.expressions.get(at).map(Part::Value));
                }
                made(tree, id, &parts, template.span.start, report);
            }
            AstKind::BinaryExpression(sum) if sum.operator.as_str() == "+" => {
                if matches!(tree.semantic.nodes().parent_kind(id), AstKind::BinaryExpression(outer) if outer.operator.as_str() == "+")
                {
                    continue;
                }
                let mut parts = Vec::new();
                flatten(tree, &sum.left, &mut parts);
                flatten(tree, &sum.right, &mut parts);
                made(tree, id, &parts, sum.span.start, report);
            }
            AstKind::CallExpression(call) => of_call(tree, id, call, report),
            AstKind::ObjectProperty(property)
                if matches!(property.key.static_name().as_deref(), Some("jwtFromRequest" | "getToken")) =>
            {
                // What a strategy takes its token from.
                for kind in tree.within(property.value.span()) {
                    if let AstKind::StaticMemberExpression(member) = kind
                        && is_token(&member.property.name)
                        && tree.path(&member.object).last().is_some_and(|owner| owner == "query")
                    {
                        report.at(Rule::TokenInUrl, member.span.start);
                    }
                }
            }
            AstKind::NewExpression(new) if tree.path(&new.callee) == ["URLSearchParams"] => {
                let given = new.arguments.first().and_then(|given| given.as_expression());
                if given.is_some_and(|given| puts_token(tree, given)) && !is_excused(tree, id, "", None) {
                    report.at(Rule::TokenInUrl, new.span.start);
                }
            }
            AstKind::ObjectProperty(property)
                if matches!(property.key.static_name().as_deref(), Some("params" | "query" | "searchParams")) =>
            {
                if let Expression::ObjectExpression(object) = bare(&property.value) {
                    for own in &object.properties {
                        if let ObjectPropertyKind::ObjectProperty(own) = own
                            && own.key.static_name().is_some_and(|name| is_token(&name))
                            && !is_excused(tree, id, "", Some(&own.value))
                        {
                            report.at(Rule::TokenInUrl, own.span.start);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    read(tree, uses, report);
}

fn of_call(tree: &Tree<'_>, id: NodeId, call: &CallExpression<'_>, report: &mut Report) {
    let path = tree.path(&call.callee);
    let method = path.last().map(String::as_str).unwrap_or_default();
    let stringifies = method == "stringify"
        && tree.origin(&call.callee).is_some_and(|(module, _)| {
            matches!(module.as_str(), "qs" | "query-string" | "querystring" | "node:querystring")
        });
    if stringifies && argument(call, 0).is_some_and(|given| puts_token(tree, given)) && !is_excused(tree, id, "", None)
    {
        report.at(Rule::TokenInUrl, call.span.start);
    }
    if method == "fromUrlQueryParameter" {
        report.at(Rule::TokenInUrl, call.span.start);
    }
    let sets = matches!(method, "set" | "append")
        && path.iter().any(|name| name == "searchParams" || name == "URLSearchParams")
        || matches!(method, "set" | "append") && is_query(tree, &call.callee);
    if let (true, Some(name), Some(value)) =
        (sets, argument(call, 0).and_then(|name| tree.text(name)), argument(call, 1))
        && is_token(&name)
        && !is_excused(tree, id, "", Some(value))
    {
        report.at(Rule::TokenInUrl, call.span.start);
    }
}

enum Part<'t, 'a> {
    Text(String),
    Value(&'t Expression<'a>),
}

fn flatten<'t, 'a>(tree: &Tree<'a>, expression: &'t Expression<'a>, parts: &mut Vec<Part<'t, 'a>>) {
    match bare(expression) {
        Expression::BinaryExpression(sum) if sum.operator.as_str() == "+" => {
            flatten(tree, &sum.left, parts);
            flatten(tree, &sum.right, parts);
        }
        Expression::StringLiteral(literal) => parts.push(Part::Text(literal.value.to_string())),
        other => match tree.text(other).filter(|text| !text.contains(UNKNOWN)) {
            Some(text) => parts.push(Part::Text(text)),
            None => parts.push(Part::Value(expression)),
        },
    }
}

/// A text in which `?token=` or its like stands before something that is not known.
fn made(tree: &Tree<'_>, id: NodeId, parts: &[Part<'_, '_>], start: u32, report: &mut Report) {
    let mut before = String::new();
    for (at, part) in parts.iter().enumerate() {
        match part {
            Part::Text(text) => before.push_str(text),
            Part::Value(value) => {
                let text = match at.checked_sub(1).and_then(|at| parts.get(at)) {
                    Some(Part::Text(text)) => text.as_str(),
                    _ => "",
                };
                if let Some(name) = parameter(text)
                    && is_token(name)
                    && !is_excused(tree, id, &before, Some(value))
                {
                    report.at(Rule::TokenInUrl, start);
                }
                before.push(UNKNOWN);
            }
        }
    }
}

/// The name in `…?name=` at the end of a text.
fn parameter(text: &str) -> Option<&str> {
    let text = text.strip_suffix('=')?;
    let start = text.rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')))?;
    matches!(text.as_bytes()[start], b'?' | b'&' | b'#').then(|| &text[start + 1..])
}

/// One-time links, and tokens that are nobody's.
fn is_excused(tree: &Tree<'_>, id: NodeId, before: &str, value: Option<&Expression<'_>>) -> bool {
    let value = value.map(|value| match bare(value) {
        Expression::CallExpression(call) => {
            argument(call, 0).map_or_else(|| tree.last_name(value), |inner| tree.last_name(inner))
        }
        _ => tree.last_name(value),
    });
    let named = value.filter(|name| !name.is_empty());
    let other = named.as_deref().is_some_and(|name| {
        let all = crate::names::words(name);
        all.iter().any(|word| word == "token" || word == "key") && !is_token(name) && all.len() > 1
    });
    let mapped = before.contains("mapbox") || before.contains("maps.");
    other
        || mapped
        || is_link_path(before)
        || named.as_deref().is_some_and(is_link)
        || names_around(tree, id).iter().any(|name| is_link(name))
}

fn is_query(tree: &Tree<'_>, callee: &Expression<'_>) -> bool {
    let Expression::StaticMemberExpression(member) = bare(callee) else { return false };
    match tree.resolve(&member.object) {
        Expression::NewExpression(new) => tree.path(&new.callee) == ["URLSearchParams"],
        other => tree.last_name(other) == "searchParams",
    }
}

/// `new URLSearchParams({ token })`, but not the body of a request for tokens.
fn puts_token(tree: &Tree<'_>, given: &Expression<'_>) -> bool {
    let Some(object) = tree.object(given) else { return false };
    let form = object.has_any(&["grant_type", "client_id", "client_secret", "token_type_hint", "client_assertion"]);
    !form
        && object
            .properties
            .iter()
            .any(|(name, property)| is_token(name) && !matches!(bare(property.value), Expression::StringLiteral(_)))
}

/// A credential that is read from the query and then verified.
fn read(tree: &Tree<'_>, uses: &Uses<'_, '_>, report: &mut Report) {
    let by_library = uses.all.iter().filter(|used| {
        used.verb == Verb::Verify
            && !matches!(used.library, Library::PassportJwt | Library::ExpressJwt | Library::FastJwt)
    });
    let mut presented: Vec<(NodeId, &Expression<'_>)> =
        by_library.filter_map(|used| Some((used.id, used.argument(0)?))).collect();
    for node in tree.semantic.nodes().iter() {
        if let AstKind::CallExpression(call) = node.kind() {
            let name = tree.last_name(&call.callee).to_ascii_lowercase();
            if name.starts_with("verify") || name.starts_with("authenticate") {
                presented.extend(
                    call.arguments
                        .iter()
                        .filter_map(|argument| argument.as_expression())
                        .map(|argument| (node.id(), argument)),
                );
            }
        }
    }
    for (id, token) in presented {
        if let Some(start) = from_query(tree, token, 3)
            && !names_around(tree, id).iter().any(|name| is_link(name))
        {
            report.at(Rule::TokenInUrl, start);
        }
    }
}

/// Where it is read from the query, if it is.
fn from_query(tree: &Tree<'_>, token: &Expression<'_>, depth: u8) -> Option<u32> {
    if depth == 0 {
        return None;
    }
    let plain = bare(token);
    match plain {
        Expression::Identifier(name) => match tree.declared(name)? {
            Declared::Value(init) => from_query(tree, init, depth - 1),
            Declared::Property(init, key) => {
                let path = tree.path(init);
                (path.last().is_some_and(|last| last == "query") && is_token(&key)).then(|| init.span().start)
            }
            Declared::Import(..) => None,
        },
        Expression::LogicalExpression(either) => {
            from_query(tree, &either.left, depth - 1).or_else(|| from_query(tree, &either.right, depth - 1))
        }
        Expression::ConditionalExpression(either) => {
            from_query(tree, &either.consequent, depth - 1).or_else(|| from_query(tree, &either.alternate, depth - 1))
        }
        Expression::CallExpression(call) => {
            let path = tree.path(&call.callee);
            let gets = path.last().is_some_and(|last| last == "get" || last == "query")
                && path
                    .iter()
                    .any(|name| matches!(name.as_str(), "searchParams" | "query" | "params" | "URLSearchParams"));
            if gets && argument(call, 0).and_then(|name| tree.text(name)).is_some_and(|name| is_token(&name)) {
                return Some(plain.span().start);
            }
            let wraps = matches!(path.last().map(String::as_str), Some("String" | "toString" | "decodeURIComponent"));
            wraps.then(|| argument(call, 0)).flatten().and_then(|inner| from_query(tree, inner, depth - 1))
        }
        _ => {
            let path = tree.path(plain);
            let [.., owner, name] = path.as_slice() else { return None };
            (owner == "query" && is_token(name)).then(|| plain.span().start)
        }
    }
}

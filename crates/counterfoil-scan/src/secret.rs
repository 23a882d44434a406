//! Secrets that stand in the source.

use crate::jwt::{Library, Uses, Verb};
use crate::lookup::{Tree, argument, bare};
use crate::names::{is_secret, words};
use crate::{Report, Rule};
use oxc_ast::AstKind;
use oxc_ast::ast::{CallExpression, Expression};
use oxc_span::GetSpan as _;

/// Where a single `secret:` is one: what these are given.
const TAKERS: &[(&str, &[&str])] = &[
    ("express-session", &["secret"]),
    ("cookie-session", &["secret", "keys"]),
    ("express-jwt", &["secret"]),
    ("fast-jwt", &["key"]),
    ("passport-jwt", &["secretOrKey"]),
    ("iron-session", &["password"]),
    ("@fastify/cookie", &["secret"]),
    ("@fastify/session", &["secret"]),
    ("next-auth", &["secret"]),
];

pub(crate) fn look(tree: &Tree<'_>, uses: &Uses<'_, '_>, report: &mut Report) {
    for node in tree.semantic.nodes().iter() {
        match node.kind() {
            AstKind::VariableDeclarator(declarator) => {
                if let (Some(name), Some(init)) = (declarator.id.get_identifier_name(), &declarator.init) {
                    named(tree, &name, init, report);
                }
            }
            AstKind::ObjectProperty(property) => {
                if let Some(name) = property.key.static_name() {
                    named(tree, &name, &property.value, report);
                }
            }
            AstKind::PropertyDefinition(property) => {
                if let (Some(name), Some(value)) = (property.key.static_name(), &property.value) {
                    named(tree, &name, value, report);
                }
            }
            AstKind::AssignmentExpression(assigned) => {
                let name = assigned.left.get_identifier_name().map(str::to_owned).or_else(|| {
                    let text = &tree.source[assigned.left.span().start as usize..assigned.left.span().end as usize];
                    text.rsplit('.').next().map(str::to_owned)
                });
                if let Some(name) = name {
                    named(tree, &name, &assigned.right, report);
                    if name == "keys" && assigned.left.span().size() > 4 {
                        literals(tree, &assigned.right, report);
                    }
                }
            }
            AstKind::StringLiteral(literal) if is_private_key(&literal.value) => {
                report.at(Rule::SecretInSource, literal.span.start);
            }
            AstKind::TemplateLiteral(template) => {
                let text = template.quasis.iter().map(|quasi| quasi.value.raw.as_str()).collect::<String>();
                if is_private_key(&text) {
                    report.at(Rule::SecretInSource, template.span.start);
                }
            }
            AstKind::CallExpression(call) => of_call(tree, call, report),
            _ => {}
        }
    }
    of_tokens(tree, uses, report);
}

fn of_call(tree: &Tree<'_>, call: &CallExpression<'_>, report: &mut Report) {
    let Some((module, export)) = tree.origin(&call.callee) else { return };
    if module == "cookie-parser"
        && matches!(export.as_str(), "default" | "*")
        && let Some(secret) = argument(call, 0)
    {
        literals(tree, secret, report);
    }
    taken(tree, &module, argument(call, 0), report);
    if module == "crypto" || module == "node:crypto" {
        let place = match export.as_str() {
            "createHmac" => Some(1),
            "createSecretKey" => Some(0),
            _ => None,
        };
        place.and_then(|place| argument(call, place)).into_iter().for_each(|key| literals(tree, key, report));
    }
}

fn of_tokens(tree: &Tree<'_>, uses: &Uses<'_, '_>, report: &mut Report) {
    for used in &uses.all {
        let secret = match (used.library, used.verb) {
            (Library::JsonWebToken, Verb::Sign | Verb::Verify) | (Library::Jose, Verb::Verify) => used.argument(1),
            (Library::Nest, Verb::Sign | Verb::Verify) => {
                let options = used.argument(1).and_then(|options| tree.object(options));
                options.and_then(|options| options.get("secret")).map(|property| property.value)
            }
            (Library::PassportJwt, _) => {
                let options = used.argument(0).and_then(|options| tree.object(options));
                options.and_then(|options| options.get("secretOrKey")).map(|property| property.value)
            }
            (Library::ExpressJwt, _) => {
                let options = used.argument(0).and_then(|options| tree.object(options));
                options.and_then(|options| options.get("secret")).map(|property| property.value)
            }
            _ => None,
        };
        if let Some(secret) = secret {
            literals(tree, secret, report);
        }
    }
    for (_, span, given) in &uses.registered {
        for kind in tree.within(*span) {
            if let AstKind::ObjectProperty(property) = kind
                && property.key.static_name().is_some_and(|name| matches!(&*name, "secret" | "privateKey"))
            {
                literals(tree, &property.value, report);
            }
        }
        if let Some(secret) = given.and_then(|given| tree.object(given)).and_then(|object| object.get("secret")) {
            literals(tree, secret.value, report);
        }
    }
}

fn taken(tree: &Tree<'_>, module: &str, options: Option<&Expression<'_>>, report: &mut Report) {
    let Some((_, names)) = TAKERS.iter().find(|(known, _)| *known == module) else { return };
    let Some(options) = options.and_then(|options| tree.object(options)) else { return };
    for name in *names {
        if let Some(property) = options.get(name) {
            literals(tree, property.value, report);
        }
    }
}

/// A value with a secret's name: of two words, or in capitals, or read from the environment.
fn named(tree: &Tree<'_>, name: &str, value: &Expression<'_>, report: &mut Report) {
    if !is_secret(name) {
        return;
    }
    let fallback = matches!(bare(value), Expression::LogicalExpression(_));
    let capitals = !name.chars().any(|c| c.is_ascii_lowercase());
    let encoded = matches!(bare(value), Expression::CallExpression(_));
    // A word for it, as a form or a table has it.
    let word = |text: &str| is_secret(text) && !text.contains(|c: char| c.is_ascii_digit() || c == ' ');
    if !fallback && tree.text(value).as_deref().is_some_and(word) {
        return;
    }
    if words(name).len() > 1 || capitals || fallback || encoded {
        literals(tree, value, report);
    }
}

/// Reports the literals that a secret is made of.
fn literals(tree: &Tree<'_>, secret: &Expression<'_>, report: &mut Report) {
    match tree.resolve(secret) {
        Expression::StringLiteral(literal) if is_value(&literal.value) => {
            report.at(Rule::SecretInSource, literal.span.start);
        }
        Expression::TemplateLiteral(template) if template.expressions.is_empty() => {
            let text: String = template.quasis.iter().map(|quasi| quasi.value.raw.as_str()).collect();
            if is_value(&text) {
                report.at(Rule::SecretInSource, template.span.start);
            }
        }
        Expression::LogicalExpression(either) => literals(tree, &either.right, report),
        Expression::ConditionalExpression(either) => {
            literals(tree, &either.consequent, report);
            literals(tree, &either.alternate, report);
        }
        Expression::ArrayExpression(list) => {
            list.elements
                .iter()
                .filter_map(|element| element.as_expression())
                .for_each(|one| literals(tree, one, report));
        }
        Expression::CallExpression(call) => {
            let path = tree.path(&call.callee);
            let encodes = matches!(path.last().map(String::as_str), Some("encode" | "createSecretKey"))
                || path.iter().map(String::as_str).eq(["Buffer", "from"]);
            if encodes && let Some(inner) = argument(call, 0) {
                literals(tree, inner, report);
            }
        }
        _ => {}
    }
}

/// Not the name of one, as configurations have it, and no key that is public.
fn is_value(text: &str) -> bool {
    let name = text.contains('_') && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    !text.trim().is_empty() && !name && !text.contains("PUBLIC KEY")
}

fn is_private_key(text: &str) -> bool {
    text.contains("-----BEGIN") && text.contains("PRIVATE KEY-----")
}

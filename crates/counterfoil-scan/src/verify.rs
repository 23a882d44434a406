//! Tokens that are believed without being judged: no algorithms, issuer or audience, no expiry (RFC 8725 sections 3.1, 3.8, 3.9).

use crate::jwt::{Library, Uses, Verb};
use crate::lookup::{Object, Tree};
use crate::{Report, Rule};
use oxc_ast::ast::{ArrayExpressionElement, Expression};
use oxc_span::Span;

const ALGORITHMS: &[&str] = &["algorithms", "algorithm"];
const ISSUER: &[&str] = &["issuer", "allowedIss", "iss"];
const AUDIENCE: &[&str] = &["audience", "allowedAud", "aud"];
const ASKED: [(Rule, &[&str]); 3] = [
    (Rule::VerifyWithoutAlgorithms, ALGORITHMS),
    (Rule::VerifyWithoutIssuer, ISSUER),
    (Rule::VerifyWithoutAudience, AUDIENCE),
];

pub(crate) fn look(tree: &Tree<'_>, uses: &Uses<'_, '_>, report: &mut Report) {
    for used in uses.all.iter().filter(|used| used.verb == Verb::Verify) {
        let place = match used.library {
            Library::JsonWebToken | Library::Jose => 2,
            Library::Nest => 1,
            Library::FastJwt | Library::ExpressJwt | Library::PassportJwt => 0,
            _ => continue,
        };
        let module =
            (used.library == Library::Nest).then(|| uses.of_module(tree, Library::Nest, "verifyOptions")).flatten();
        match used.options(tree, place) {
            None => lacking(None, module.as_ref(), used.span, report),
            Some(options) => {
                if let Some(object) = tree.object(options) {
                    judge(tree, &object, report);
                    lacking(Some(&object), module.as_ref(), used.span, report);
                }
            }
        }
    }
    for (library, span, given) in &uses.registered {
        if *library == Library::Nest {
            if let Some(object) = uses.of_module(tree, Library::Nest, "verifyOptions") {
                judge(tree, &object, report);
            }
            continue;
        }
        let Some(given) = given else {
            lacking(None, None, *span, report);
            continue;
        };
        let Some(object) = tree.object(given) else { continue };
        match object.get("verify") {
            None if object.open => {}
            None => lacking(None, None, *span, report),
            Some(verify) => {
                if let Some(options) = tree.object(verify.value) {
                    judge(tree, &options, report);
                    lacking(Some(&options), None, *span, report);
                }
            }
        }
    }
}

fn lacking(options: Option<&Object<'_, '_>>, module: Option<&Object<'_, '_>>, span: Span, report: &mut Report) {
    for (rule, names) in ASKED {
        let said = |object: &Object<'_, '_>| object.open || object.has_any(names);
        if !options.is_some_and(said) && !module.is_some_and(said) {
            report.at(rule, span.start);
        }
    }
}

/// What stands in the options, and is wrong.
fn judge(tree: &Tree<'_>, options: &Object<'_, '_>, report: &mut Report) {
    for (name, property) in &options.properties {
        let value = tree.resolve(property.value);
        match (name.as_str(), value) {
            ("ignoreExpiration", Expression::BooleanLiteral(literal)) if literal.value => {
                report.at(Rule::VerifyWithoutExpiry, property.span.start);
            }
            ("algorithms", Expression::ArrayExpression(list)) => {
                let none = |element: &ArrayExpressionElement<'_>| {
                    element
                        .as_expression()
                        .is_some_and(|one| matches!(one.get_inner_expression(), Expression::StringLiteral(text) if text.value.eq_ignore_ascii_case("none")))
                };
                if list.elements.iter().any(none) {
                    report.at(Rule::VerifyWithoutAlgorithms, property.span.start);
                }
            }
            _ => {}
        }
    }
}

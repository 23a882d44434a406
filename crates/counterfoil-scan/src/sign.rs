//! Tokens that are made: without an end, for too long, or with what is personal (RFC 8725 section 3.10; RFC 9700 section 2.2).

use crate::jwt::{Library, Use, Uses, Verb, names_around};
use crate::lookup::{Object, Tree, argument, bare};
use crate::names::{is_link, is_personal, is_refresh, is_thing};
use crate::{Report, Rule};
use oxc_ast::AstKind;
use oxc_ast::ast::{CallExpression, Expression, ObjectPropertyKind};
use oxc_semantic::NodeId;
use oxc_span::{GetSpan as _, Span};

const HOUR: f64 = 3600.0;

pub(crate) fn look(tree: &Tree<'_>, uses: &Uses<'_, '_>, report: &mut Report) {
    for signing in uses.all.iter().filter(|signing| signing.verb == Verb::Sign) {
        match signing.library {
            Library::Jose => of_jose(tree, signing, report),
            Library::FastJwt => {
                if let Some(options) = signing.argument(0).and_then(|options| tree.object(options)) {
                    let names = names_around(tree, signing.id);
                    match options.get("expiresIn") {
                        Some(property) => too_long(tree, (property.value, property.span.start), 0.001, &names, report),
                        None if options.open => {}
                        None => report.at(Rule::TokenWithoutExpiry, signing.span.start),
                    }
                }
            }
            Library::FastJwtMade => payload(tree, signing, report),
            _ => of_call(tree, uses, signing, report),
        }
    }
    for (library, name) in [(Library::Nest, "signOptions"), (Library::FastifyJwt, "sign")] {
        if let Some(property) = uses.of_module(tree, library, name).and_then(|options| options.get("expiresIn")) {
            too_long(tree, (property.value, property.span.start), 1.0, &[], report);
        }
    }
}

/// Where the options of a call stand.
const fn place(library: Library) -> usize {
    match library {
        Library::JsonWebToken => 2,
        _ => 1,
    }
}

fn of_call(tree: &Tree<'_>, uses: &Uses<'_, '_>, signing: &Use<'_, '_>, report: &mut Report) {
    payload(tree, signing, report);
    let claims = signing.argument(0).and_then(|payload| tree.object(payload));
    let mut names = names_around(tree, signing.id);
    if signing.library == Library::JsonWebToken {
        names.extend(signing.argument(1).map(|secret| tree.path(secret).join(".")));
    }
    let options = signing.options(tree, place(signing.library));
    let known = options.and_then(|options| tree.object(options));
    if let Some(object) = &known {
        names.extend(object.get("secret").map(|secret| tree.path(secret.value).join(".")));
    }
    names.extend(claims.iter().flat_map(said_in));
    let module = match signing.library {
        Library::Nest => uses.of_module(tree, Library::Nest, "signOptions"),
        Library::FastifyJwt => uses.of_module(tree, Library::FastifyJwt, "sign"),
        _ => None,
    };
    let expiry = known.as_ref().and_then(|options| options.get("expiresIn"));
    let claim = claims.as_ref().and_then(|claims| claims.get("exp"));
    if let Some(property) = expiry.or(claim) {
        too_long(tree, (property.value, property.span.start), 1.0, &names, report);
        return;
    }
    let undecidable = options.is_some() && known.as_ref().is_none_or(|options| options.open);
    let by_module = module.is_some_and(|options| options.open || options.get("expiresIn").is_some());
    let hidden = claims.as_ref().is_none_or(|claims| claims.open) && options.is_none() && signing.argument(0).is_none();
    if !undecidable && !by_module && !hidden {
        report.at(Rule::TokenWithoutExpiry, signing.span.start);
    }
}

/// What the claims say of the token's purpose: `use: 'refresh'`.
fn said_in(claims: &Object<'_, '_>) -> Vec<String> {
    claims
        .properties
        .iter()
        .filter(|(name, _)| {
            matches!(name.as_str(), "use" | "type" | "typ" | "kind" | "purpose" | "scope" | "token_use" | "tokenType")
        })
        .filter_map(|(_, property)| match bare(property.value) {
            Expression::StringLiteral(literal) => Some(literal.value.to_string()),
            _ => None,
        })
        .collect()
}

fn of_jose(tree: &Tree<'_>, signing: &Use<'_, '_>, report: &mut Report) {
    payload(tree, signing, report);
    let claims = signing.argument(0).and_then(|payload| tree.object(payload));
    if claims.as_ref().is_some_and(|claims| claims.get("exp").is_some()) {
        return;
    }
    let mut names = names_around(tree, signing.id);
    names.extend(claims.iter().flat_map(said_in));
    let calls = chain(tree, signing.id);
    names.extend(
        calls
            .iter()
            .filter(|call| tree.last_name(&call.callee) == "sign")
            .filter_map(|call| argument(call, 0))
            .map(|key| tree.path(key).join(".")),
    );
    let set = calls.iter().find(|call| tree.last_name(&call.callee) == "setExpirationTime");
    let later = || {
        let function = tree.function_around(signing.id).map(|function| tree.semantic.nodes().kind(function).span());
        function.and_then(|span| {
            tree.within(span).find_map(|kind| match kind {
                AstKind::CallExpression(call) if tree.last_name(&call.callee) == "setExpirationTime" => Some(call),
                _ => None,
            })
        })
    };
    match set.copied().or_else(later) {
        Some(call) => {
            if let Some(value) = argument(call, 0) {
                too_long(tree, (value, value.span().start), 1.0, &names, report);
            }
        }
        None => report.at(Rule::TokenWithoutExpiry, signing.span.start),
    }
}

/// The calls that are made on what this node makes, one after another.
fn chain<'t, 'a>(tree: &'t Tree<'a>, id: NodeId) -> Vec<&'t CallExpression<'a>> {
    let mut calls = Vec::new();
    for kind in tree.semantic.nodes().ancestor_kinds(id) {
        match kind {
            AstKind::CallExpression(call) => calls.push(call),
            AstKind::StaticMemberExpression(_) | AstKind::ParenthesizedExpression(_) | AstKind::AwaitExpression(_) => {}
            _ => break,
        }
    }
    calls
}

fn payload(tree: &Tree<'_>, signing: &Use<'_, '_>, report: &mut Report) {
    if let Some(claims) = signing.argument(0) {
        personal(tree, claims, 3, report);
    }
}

/// `device.name`: of nobody.
fn names_a_thing(tree: &Tree<'_>, value: &Expression<'_>) -> bool {
    match tree.path(value).as_slice() {
        [.., owner, name] => name == "name" && is_thing(owner),
        _ => false,
    }
}

fn personal(tree: &Tree<'_>, claims: &Expression<'_>, depth: u8, report: &mut Report) {
    let Expression::ObjectExpression(object) = tree.resolve(claims) else { return };
    for property in &object.properties {
        match property {
            ObjectPropertyKind::ObjectProperty(own) => {
                if own.key.static_name().is_some_and(|name| is_personal(&name)) && !names_a_thing(tree, &own.value) {
                    report.at(Rule::PersonalDataInPayload, own.span.start);
                } else if depth > 0 {
                    personal(tree, &own.value, depth - 1, report);
                }
            }
            ObjectPropertyKind::SpreadProperty(spread) if depth > 0 => {
                personal(tree, &spread.argument, depth - 1, report);
            }
            ObjectPropertyKind::SpreadProperty(_) => {}
        }
    }
}

fn too_long(tree: &Tree<'_>, (value, start): (&Expression<'_>, u32), unit: f64, names: &[String], report: &mut Report) {
    let Some(seconds) = seconds(tree, value, unit) else { return };
    let refresh = names.iter().any(|name| is_refresh(name));
    let link = names.iter().any(|name| is_link(name)) && seconds <= 24.0 * HOUR;
    if seconds > HOUR && !refresh && !link {
        report.at(Rule::TokenLivesTooLong, start);
    }
}

/// How many seconds from now a lifetime or a time is; numbers are of this unit.
fn seconds(tree: &Tree<'_>, value: &Expression<'_>, unit: f64) -> Option<f64> {
    match tree.text(value) {
        Some(text) => duration(&text),
        None => number(tree, value, 8).map(|number| number * unit),
    }
}

/// Arithmetic on constants, in which the present moment is nothing, and so is what is not known beside a sum.
fn number(tree: &Tree<'_>, value: &Expression<'_>, depth: u8) -> Option<f64> {
    if depth == 0 {
        return None;
    }
    let of = |value: &Expression<'_>| number(tree, value, depth - 1);
    match tree.resolve(value) {
        Expression::NumericLiteral(literal) => Some(literal.value),
        Expression::BinaryExpression(binary) => {
            let (left, right) = (of(&binary.left), of(&binary.right));
            match binary.operator.as_str() {
                "+" => match (left, right) {
                    (None, None) => None,
                    (left, right) => Some(left.unwrap_or(0.0) + right.unwrap_or(0.0)),
                },
                "-" => Some(left? - right?),
                "*" => Some(left? * right?),
                "/" => Some(left? / right?),
                _ => None,
            }
        }
        Expression::CallExpression(call) => {
            let path = tree.path(&call.callee);
            match path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                ["Date", "now"] | [.., "getTime"] => Some(0.0),
                ["Math", "floor" | "round" | "trunc" | "ceil"] | ["Number" | "parseInt"] => {
                    argument(call, 0).and_then(of)
                }
                _ => None,
            }
        }
        Expression::LogicalExpression(either) => of(&either.left).or_else(|| of(&either.right)),
        Expression::ConditionalExpression(either) => match (of(&either.consequent), of(&either.alternate)) {
            (Some(one), Some(other)) => Some(one.max(other)),
            (one, other) => one.or(other),
        },
        _ => None,
    }
}

/// As the libraries read it: `15m`, `7 days`, `2w`; a number alone is of milliseconds.
fn duration(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let count: f64 = text[..digits].parse().ok()?;
    let unit = text[digits..].trim().to_ascii_lowercase();
    let factor = match unit.trim_end_matches(" from now") {
        "" | "ms" | "msec" | "msecs" | "millisecond" | "milliseconds" => 0.001,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => HOUR,
        "d" | "day" | "days" => 24.0 * HOUR,
        "w" | "week" | "weeks" => 7.0 * 24.0 * HOUR,
        "y" | "yr" | "yrs" | "year" | "years" => 365.25 * 24.0 * HOUR,
        _ => return None,
    };
    Some(count * factor)
}

/// Whether a place lies within another.
pub(crate) const fn is_within(inner: Span, outer: Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn lifetimes_are_read_as_libraries_read_them() {
        for (text, seconds) in
            [("15m", 900.0), ("7 days", 604_800.0), ("1h", 3600.0), ("60000", 60.0), ("2w", 1_209_600.0)]
        {
            assert_eq!(duration(text), Some(seconds), "{text}");
        }
        assert_eq!(duration("soon"), None);
    }
}

//! Refreshes that leave the refresh token as it is (RFC 9700 section 4.14.2).

use crate::jwt::{Uses, Verb};
use crate::lookup::{Tree, argument, bare};
use crate::names::{is_refresh, words};
use crate::sign::is_within;
use crate::{Report, Rule};
use oxc_ast::AstKind;
use oxc_ast::ast::Expression;
use oxc_span::{GetSpan as _, Span};

pub(crate) fn look(tree: &Tree<'_>, uses: &Uses<'_, '_>, report: &mut Report) {
    for node in tree.semantic.nodes().iter() {
        let found = match node.kind() {
            AstKind::CallExpression(call) => {
                let method = tree.last_name(&call.callee);
                let route = argument(call, 0).and_then(|route| tree.text(route)).unwrap_or_default();
                let verb = matches!(
                    method.as_str(),
                    "get" | "post" | "put" | "patch" | "all" | "route" | "use" | "on" | "handle"
                );
                let handler = call
                    .arguments
                    .iter()
                    .filter_map(|argument| argument.as_expression())
                    .rfind(|last| is_function(bare(last)));
                (verb && is_refresh(&route))
                    .then_some(handler)
                    .flatten()
                    .map(|handler| (call.span.start, handler.span()))
            }
            AstKind::Function(function) => {
                let name = function.id.as_ref().filter(|name| is_refresh(&name.name));
                name.map(|_| (function.span.start, function.span))
            }
            AstKind::VariableDeclarator(declarator) => {
                let named = declarator.id.get_identifier_name().is_some_and(|name| is_refresh(&name));
                let init = declarator.init.as_ref().filter(|init| named && holds_function(init));
                init.map(|init| (declarator.span.start, init.span()))
            }
            AstKind::MethodDefinition(method) => {
                let named = method.key.static_name().is_some_and(|name| is_refresh(&name));
                named.then(|| (method.key.span().start, method.value.span))
            }
            AstKind::PropertyDefinition(property) => {
                let named = property.key.static_name().is_some_and(|name| is_refresh(&name));
                let value = property.value.as_ref().filter(|value| named && is_function(bare(value)));
                value.map(|value| (property.key.span().start, value.span()))
            }
            AstKind::ObjectProperty(property) => {
                let named = property.key.static_name().is_some_and(|name| is_refresh(&name));
                (named && holds_function(&property.value)).then(|| (property.span.start, property.value.span()))
            }
            AstKind::AssignmentExpression(assigned) => {
                let left = assigned.left.span();
                let name = tree.source[left.start as usize..left.end as usize].rsplit('.').next().unwrap_or_default();
                (is_refresh(name) && holds_function(&assigned.right))
                    .then(|| (assigned.span.start, assigned.right.span()))
            }
            _ => None,
        };
        if let Some((start, body)) = found
            && keeps_the_old_one(tree, uses, body)
        {
            report.at(Rule::NoRotation, start);
        }
    }
}

fn is_function(expression: &Expression<'_>) -> bool {
    matches!(expression, Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_))
}

/// A function, or what wraps one: `asyncHandler(async (req, res) => …)`.
fn holds_function(expression: &Expression<'_>) -> bool {
    match bare(expression) {
        Expression::CallExpression(call) => {
            call.arguments.iter().filter_map(|argument| argument.as_expression()).any(|inner| is_function(bare(inner)))
        }
        other => is_function(other),
    }
}

/// It verifies a token, makes one for access, and none for the next refresh.
fn keeps_the_old_one(tree: &Tree<'_>, uses: &Uses<'_, '_>, body: Span) -> bool {
    if !uses.verifies_within(body) {
        return false;
    }
    let signs = uses.all.iter().filter(|used| used.verb == Verb::Sign && is_within(used.span, body));
    let (mut access, mut refresh) = (0, 0);
    for used in signs {
        let mut names = names_within(tree, used.id, body);
        let secret = used.argument(1).map(|secret| tree.path(secret).join("."));
        names.extend(secret);
        names.extend(used.callee.map(|callee| tree.last_name(callee)));
        names.extend(used.argument(0).and_then(|claims| tree.object(claims)).into_iter().flat_map(|claims| {
            claims.properties.iter().filter_map(|(_, property)| tree.text(property.value)).collect::<Vec<_>>()
        }));
        if names.iter().any(|name| is_refresh(name)) { refresh += 1 } else { access += 1 }
    }
    access > 0 && refresh == 0 && access < 2 && !hands_over(tree, body)
}

/// The names around a signing call, but not that of the handler itself.
fn names_within(tree: &Tree<'_>, id: oxc_semantic::NodeId, body: Span) -> Vec<String> {
    let mut names = Vec::new();
    for kind in tree.semantic.nodes().ancestor_kinds(id) {
        if !is_within(kind.span(), body) || kind.span() == body {
            break;
        }
        match kind {
            AstKind::VariableDeclarator(declarator) => {
                names.extend(declarator.id.get_identifier_name().map(|name| name.to_string()));
            }
            AstKind::ObjectProperty(property) => {
                names.extend(property.key.static_name().map(std::borrow::Cow::into_owned));
            }
            _ => {}
        }
    }
    names
}

/// Whether it calls what issues a pair of tokens, rotates, or sets the refresh cookie.
fn hands_over(tree: &Tree<'_>, body: Span) -> bool {
    const MAKES: &[&str] = &[
        "issue", "create", "generate", "sign", "make", "new", "rotate", "set", "save", "store", "mint", "replace",
        "send", "build", "renew", "insert", "update", "register",
    ];
    tree.within(body).any(|kind| {
        let AstKind::CallExpression(call) = kind else { return false };
        let name = tree.last_name(&call.callee);
        let named = words(&name);
        let makes = named.iter().any(|word| MAKES.contains(&word.as_str()));
        let both = named.iter().any(|word| matches!(word.as_str(), "tokens" | "pair" | "rotate" | "rotation"));
        let sets_cookie = matches!(name.as_str(), "cookie" | "setCookie" | "set")
            && call.arguments.iter().filter_map(|argument| argument.as_expression()).any(|argument| {
                tree.text(argument).is_some_and(|text| is_refresh(&text)) || is_refresh(&tree.last_name(argument))
            });
        both && !matches!(name.as_str(), "tokens") || makes && is_refresh(&name) && name != "sign" || sets_cookie
    })
}

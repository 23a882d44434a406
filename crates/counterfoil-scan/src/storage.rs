//! Tokens in `localStorage` and `sessionStorage`.

use crate::lookup::{Tree, argument, bare};
use crate::names::{is_other_token, is_token};
use crate::{Report, Rule};
use oxc_ast::AstKind;
use oxc_ast::ast::{AssignmentTarget, Expression, ObjectPropertyKind};

pub(crate) fn look(tree: &Tree<'_>, report: &mut Report) {
    for node in tree.semantic.nodes().iter() {
        match node.kind() {
            AstKind::CallExpression(call) => {
                let Some(owner) = called_on(&call.callee, "setItem") else { continue };
                if let (true, Some(key), Some(value)) = (is_storage(tree, owner), argument(call, 0), argument(call, 1))
                    && holds_token(tree, tree.text(key).as_deref(), value)
                {
                    report.at(Rule::TokenInWebStorage, call.span.start);
                }
            }
            AstKind::AssignmentExpression(assigned) => {
                let target = match &assigned.left {
                    AssignmentTarget::StaticMemberExpression(member) => {
                        Some((&member.object, Some(member.property.name.to_string())))
                    }
                    AssignmentTarget::ComputedMemberExpression(member) => {
                        Some((&member.object, tree.text(&member.expression)))
                    }
                    _ => None,
                };
                let Some((owner, key)) = target else { continue };
                if is_storage(tree, owner) && holds_token(tree, key.as_deref(), &assigned.right) {
                    report.at(Rule::TokenInWebStorage, assigned.span.start);
                }
            }
            _ => {}
        }
    }
}

/// The object on which this method is called.
pub(crate) fn called_on<'t, 'a>(callee: &'t Expression<'a>, method: &str) -> Option<&'t Expression<'a>> {
    match bare(callee) {
        Expression::StaticMemberExpression(member) if member.property.name == method => Some(&member.object),
        _ => None,
    }
}

fn is_storage(tree: &Tree<'_>, owner: &Expression<'_>) -> bool {
    let named = |path: Vec<String>| {
        let global = path.len() == 1 || matches!(path[0].as_str(), "window" | "globalThis" | "self" | "global");
        global && path.last().is_some_and(|last| matches!(last.as_str(), "localStorage" | "sessionStorage"))
    };
    [tree.path(owner), tree.path(tree.resolve(owner))].into_iter().any(|path| !path.is_empty() && named(path))
}

/// Whether a token is kept under this key: by the key's name, the value's, or an object in which one is visible.
pub(crate) fn holds_token(tree: &Tree<'_>, key: Option<&str>, value: &Expression<'_>) -> bool {
    if matches!(tree.text(value).as_deref(), Some("")) || matches!(bare(value), Expression::NullLiteral(_)) {
        return false;
    }
    let csrf = |name: &str| crate::names::words(name).iter().any(|word| matches!(word.as_str(), "csrf" | "xsrf"));
    if key.is_some_and(|key| csrf(key) || is_other_token(key)) {
        return false;
    }
    key.is_some_and(is_token) || value_is_token(tree, value, 3)
}

fn value_is_token(tree: &Tree<'_>, value: &Expression<'_>, depth: u8) -> bool {
    if depth == 0 {
        return false;
    }
    match bare(value) {
        Expression::CallExpression(call) => {
            let wraps = matches!(tree.last_name(&call.callee).as_str(), "stringify" | "String" | "encodeURIComponent");
            wraps && argument(call, 0).is_some_and(|inner| value_is_token(tree, inner, depth - 1))
        }
        Expression::ObjectExpression(object) => object.properties.iter().any(|property| match property {
            ObjectPropertyKind::ObjectProperty(own) => {
                let named = own.key.static_name().is_some_and(|name| is_token(&name));
                let literal = matches!(own.value, Expression::BooleanLiteral(_) | Expression::NumericLiteral(_));
                named && !literal || value_is_token(tree, &own.value, depth - 1)
            }
            ObjectPropertyKind::SpreadProperty(_) => false,
        }),
        Expression::TemplateLiteral(template) => {
            template.expressions.iter().any(|inner| value_is_token(tree, inner, depth - 1))
        }
        Expression::BinaryExpression(sum) if sum.operator.as_str() == "+" => {
            value_is_token(tree, &sum.left, depth - 1) || value_is_token(tree, &sum.right, depth - 1)
        }
        Expression::LogicalExpression(either) => {
            value_is_token(tree, &either.left, depth - 1) || value_is_token(tree, &either.right, depth - 1)
        }
        Expression::Identifier(name) => {
            let resolved = tree.resolve(value);
            is_token(&name.name)
                || matches!(resolved, Expression::CallExpression(_) | Expression::ObjectExpression(_))
                    && !std::ptr::eq(resolved, bare(value))
                    && value_is_token(tree, resolved, depth - 1)
        }
        Expression::StaticMemberExpression(member) => is_token(&member.property.name),
        _ => is_token(&tree.last_name(value)),
    }
}

//! Tokens that are read and not verified.

use crate::jwt::{Uses, Verb};
use crate::lookup::{Tree, argument, bare};
use crate::{Report, Rule};
use oxc_ast::AstKind;
use oxc_ast::ast::{CallExpression, Expression};
use oxc_semantic::NodeId;
use oxc_span::{GetSpan as _, Span};

pub(crate) fn look(tree: &Tree<'_>, uses: &Uses<'_, '_>, report: &mut Report) {
    for used in uses.all.iter().filter(|used| used.verb == Verb::Decode) {
        if !verified_around(tree, uses, used.id) {
            report.at(Rule::DecodeInsteadOfVerify, used.span.start);
        }
    }
    for node in tree.semantic.nodes().iter() {
        let AstKind::CallExpression(call) = node.kind() else { continue };
        let parses = tree.path(&call.callee) == ["JSON", "parse"];
        if parses
            && argument(call, 0).is_some_and(|text| is_base64(tree, text, 4))
            && splits_around(tree, node.id())
            && !verified_around(tree, uses, node.id())
        {
            report.at(Rule::DecodeInsteadOfVerify, call.span.start);
        }
    }
}

fn span_around(tree: &Tree<'_>, id: NodeId) -> Span {
    tree.function_around(id).map_or_else(
        || Span::new(0, u32::try_from(tree.source.len()).unwrap_or(u32::MAX)),
        |function| tree.semantic.nodes().kind(function).span(),
    )
}

/// Whether the same function verifies, by a library or by what is called so.
fn verified_around(tree: &Tree<'_>, uses: &Uses<'_, '_>, id: NodeId) -> bool {
    let span = span_around(tree, id);
    let called = |kind: AstKind<'_>| {
        let AstKind::CallExpression(call) = kind else { return false };
        let name = tree.last_name(&call.callee).to_ascii_lowercase();
        name.starts_with("verify") || name.ends_with("verify")
    };
    uses.verifies_within(span) || tree.within(span).any(called)
}

/// Whether something is split at dots in this function: the parts of a token.
fn splits_around(tree: &Tree<'_>, id: NodeId) -> bool {
    let split = |call: &CallExpression<'_>| {
        tree.last_name(&call.callee) == "split"
            && argument(call, 0).and_then(|at| tree.text(at)).as_deref() == Some(".")
    };
    tree.within(span_around(tree, id)).any(|kind| matches!(kind, AstKind::CallExpression(call) if split(call)))
}

/// Whether this text has been base64, as far as names and calls tell.
fn is_base64(tree: &Tree<'_>, text: &Expression<'_>, depth: u8) -> bool {
    if depth == 0 {
        return false;
    }
    match tree.resolve(text) {
        Expression::CallExpression(call) => {
            let path = tree.path(&call.callee);
            let name = path.last().map(String::as_str).unwrap_or_default();
            let encoding = || argument(call, 1).and_then(|encoding| tree.text(encoding)).unwrap_or_default();
            let here = name == "atob"
                || name == "from" && encoding().starts_with("base64")
                || crate::names::words(name).iter().any(|word| matches!(word.as_str(), "base64" | "b64" | "base64url"));
            let local = || match bare(&call.callee) {
                Expression::Identifier(_) => match tree.resolve(&call.callee) {
                    Expression::ArrowFunctionExpression(arrow) => within_decodes(tree, arrow.span),
                    Expression::FunctionExpression(function) => within_decodes(tree, function.span),
                    _ => false,
                },
                _ => false,
            };
            let owner = || match bare(&call.callee) {
                Expression::StaticMemberExpression(member) => is_base64(tree, &member.object, depth - 1),
                _ => false,
            };
            here || local()
                || owner()
                || call
                    .arguments
                    .iter()
                    .filter_map(|argument| argument.as_expression())
                    .any(|inner| is_base64(tree, inner, depth - 1))
        }
        _ => false,
    }
}

fn within_decodes(tree: &Tree<'_>, span: Span) -> bool {
    tree.within(span).any(|kind| match kind {
        AstKind::CallExpression(call) => {
            let name = tree.last_name(&call.callee);
            let encoding = argument(call, 1).and_then(|encoding| tree.text(encoding)).unwrap_or_default();
            name == "atob" || name == "from" && encoding.starts_with("base64")
        }
        _ => false,
    })
}

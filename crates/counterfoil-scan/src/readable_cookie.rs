//! Tokens in cookies that a script sets, and so reads.

use crate::lookup::{Tree, UNKNOWN, argument, bare};
use crate::names::is_token;
use crate::storage::holds_token;
use crate::{Report, Rule};
use oxc_ast::AstKind;
use oxc_ast::ast::{AssignmentTarget, CallExpression, Expression};

const LIBRARIES: &[&str] = &[
    "js-cookie",
    "universal-cookie",
    "react-cookie",
    "vue-cookies",
    "vue-cookie",
    "vue3-cookies",
    "typescript-cookie",
    "tiny-cookie",
    "cookie-cutter",
    "cookies-js",
    "es-cookie",
    "cookies-next/client",
    "cookie-universal",
    "ngx-cookie-service",
    "@vueuse/integrations/useCookies",
];

pub(crate) fn look(tree: &Tree<'_>, report: &mut Report) {
    for node in tree.semantic.nodes().iter() {
        match node.kind() {
            AstKind::AssignmentExpression(assigned) => {
                let AssignmentTarget::StaticMemberExpression(member) = &assigned.left else { continue };
                let owner = tree.path(&member.object);
                let own = member.property.name == "cookie" && owner.last().is_some_and(|name| name == "document");
                if own && is_token_text(tree, &assigned.right) {
                    report.at(Rule::TokenInReadableCookie, assigned.span.start);
                }
            }
            AstKind::CallExpression(call) => {
                if let Some((name, value)) = set_by_library(tree, call)
                    && holds_token(tree, tree.text(name).as_deref(), value)
                {
                    report.at(Rule::TokenInReadableCookie, call.span.start);
                }
            }
            _ => {}
        }
    }
}

/// `name=value; attributes`, with a token's name or value.
fn is_token_text(tree: &Tree<'_>, value: &Expression<'_>) -> bool {
    let Some(text) = tree.text(value) else { return false };
    let Some((name, rest)) = text.split_once('=') else { return false };
    let value = rest.split(';').next().unwrap_or_default().trim();
    !value.is_empty() && !name.contains(UNKNOWN) && is_token(name.trim())
}

fn set_by_library<'t, 'a>(
    tree: &Tree<'a>,
    call: &'t CallExpression<'a>,
) -> Option<(&'t Expression<'a>, &'t Expression<'a>)> {
    let path = tree.path(&call.callee);
    let method = path.last()?.as_str();
    let origin = tree.origin(&call.callee);
    let module = origin.as_ref().map(|(module, _)| module.as_str());
    let both = |from: usize| argument(call, from).zip(argument(call, from + 1));
    if module == Some("nookies") && matches!(method, "set" | "setCookie") {
        let context = argument(call, 0)?;
        let client = matches!(bare(context), Expression::NullLiteral(_) | Expression::ObjectExpression(_))
            || tree.path(context) == ["undefined"];
        return if client { both(1) } else { None };
    }
    let by_hook = origin.as_ref().is_some_and(|(module, export)| module == "react-cookie" && export.ends_with(".1"));
    let of_library =
        module.is_some_and(|module| LIBRARIES.contains(&module)) && matches!(method, "set" | "setCookie" | "put");
    let of_vue = method == "set" && path.len() >= 2 && matches!(path[path.len() - 2].as_str(), "$cookies" | "$cookie");
    let of_angular = method == "set" && path.len() >= 2 && tree.is_typed(&path[path.len() - 2], "CookieService");
    if by_hook || of_library || of_vue || of_angular { both(0) } else { None }
}

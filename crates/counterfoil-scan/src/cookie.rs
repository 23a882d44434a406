//! Cookies that a server sets for a session, without what keeps them from scripts, from the wire and from other sites (ASVS 3.3).

use crate::lookup::{Object, Tree, argument, bare};
use crate::names::{is_credential, is_token};
use crate::{Report, Rule};
use oxc_ast::AstKind;
use oxc_ast::ast::{CallExpression, Expression};
use oxc_span::Span;

/// What a library does by itself.
#[derive(Clone, Copy)]
struct Defaults {
    http_only: bool,
    /// Whether it decides on `Secure` by the connection.
    secure: bool,
}

const NONE: Defaults = Defaults { http_only: false, secure: false };
const HTTP_ONLY: Defaults = Defaults { http_only: true, secure: false };
const KOA: Defaults = Defaults { http_only: true, secure: true };

/// A cookie being set: name, value, options.
struct Setting<'t, 'a> {
    name: Option<&'t Expression<'a>>,
    value: Option<&'t Expression<'a>>,
    options: Option<&'t Expression<'a>>,
    defaults: Defaults,
}

pub(crate) fn look(tree: &Tree<'_>, report: &mut Report) {
    let koa = imports(tree, |module| module == "koa" || module.starts_with("koa-") || module.starts_with("@koa/"));
    let svelte = imports(tree, |module| {
        module == "@sveltejs/kit" || module.starts_with("./$types") || module.starts_with("$lib")
    });
    for node in tree.semantic.nodes().iter() {
        let AstKind::CallExpression(call) = node.kind() else { continue };
        if session_middleware(tree, call, report) {
            continue;
        }
        let Some(setting) = setting(tree, call, koa, svelte) else { continue };
        if is_for_session(tree, &setting) {
            judge(tree, &setting, call.span, report);
        }
    }
}

fn imports(tree: &Tree<'_>, wanted: impl Fn(&str) -> bool) -> bool {
    tree.semantic.nodes().iter().any(|node| match node.kind() {
        AstKind::ImportDeclaration(import) => wanted(&import.source.value),
        AstKind::CallExpression(call) => {
            tree.path(&call.callee) == ["require"]
                && argument(call, 0).and_then(|module| tree.text(module)).is_some_and(|module| wanted(&module))
        }
        _ => false,
    })
}

fn setting<'t, 'a>(
    tree: &'t Tree<'a>,
    call: &'t CallExpression<'a>,
    koa: bool,
    svelte: bool,
) -> Option<Setting<'t, 'a>> {
    let at = |place: usize| argument(call, place);
    let from =
        |place: usize, defaults| Setting { name: at(place), value: at(place + 1), options: at(place + 2), defaults };
    let path = tree.path(&call.callee);
    let method = path.last()?.as_str();
    let origin = tree.origin(&call.callee);
    let (module, export) = origin.as_ref().map_or(("", ""), |(module, export)| (module.as_str(), export.as_str()));
    match (module, export) {
        ("hono/cookie" | "h3" | "vinxi/http" | "nitropack/runtime" | "#imports", "setCookie") => {
            return Some(from(1, NONE));
        }
        ("hono/cookie", "setSignedCookie") => {
            return Some(Setting { name: at(1), value: at(2), options: at(4), defaults: NONE });
        }
        ("cookie", "serialize" | "serializeCookie") => return Some(from(0, NONE)),
        ("nookies", _) if matches!(method, "set" | "setCookie") => {
            let server = at(0).is_some_and(|context| matches!(bare(context), Expression::Identifier(_)));
            return server.then(|| from(1, NONE));
        }
        ("next/headers", export) if export.starts_with("cookies.()") && method == "set" => return next(tree, call),
        ("js-cookie" | "universal-cookie" | "react-cookie" | "vue-cookies", _) => return None,
        _ => {}
    }
    match method {
        "cookie" | "setCookie" if path.len() >= 2 && call.arguments.len() >= 2 => Some(from(0, NONE)),
        "setCookie" if path.len() == 1 && module.is_empty() && call.arguments.len() >= 3 => {
            // What Nitro and Nuxt put into every file's names.
            let event = at(0).is_some_and(|event| matches!(tree.last_name(event).as_str(), "event" | "c" | "ctx"));
            event.then(|| from(1, NONE))
        }
        "set" if path.len() >= 2 && path[path.len() - 2] == "cookies" => {
            if svelte {
                return None;
            }
            if koa || matches!(path[0].as_str(), "ctx") && path.len() == 3 {
                return Some(from(0, KOA));
            }
            next(tree, call)
        }
        _ => None,
    }
}

/// `set(name, value, options)` or `set({ name, value, … })`.
fn next<'t, 'a>(tree: &'t Tree<'a>, call: &'t CallExpression<'a>) -> Option<Setting<'t, 'a>> {
    let first = argument(call, 0)?;
    if let (Some(object), 1) = (tree.object(first), call.arguments.len()) {
        let value = |name: &str| object.get(name).map(|property| property.value);
        return Some(Setting { name: value("name"), value: value("value"), options: Some(first), defaults: NONE });
    }
    Some(Setting { name: Some(first), value: argument(call, 1), options: argument(call, 2), defaults: NONE })
}

fn is_for_session(tree: &Tree<'_>, setting: &Setting<'_, '_>) -> bool {
    let Some(value) = setting.value else { return false };
    if matches!(tree.text(value).as_deref(), Some("")) || matches!(bare(value), Expression::NullLiteral(_)) {
        return false;
    }
    let csrf = |name: &str| crate::names::words(name).iter().any(|word| matches!(word.as_str(), "csrf" | "xsrf"));
    let name = setting.name.and_then(|name| tree.text(name));
    if name.as_deref().is_some_and(csrf) || csrf(&tree.last_name(value)) {
        return false;
    }
    name.as_deref().is_some_and(is_credential) || is_token(&tree.last_name(value))
}

fn judge(tree: &Tree<'_>, setting: &Setting<'_, '_>, span: Span, report: &mut Report) {
    match setting.options {
        None => attributes(tree, None, setting.defaults, span, report),
        Some(options) => {
            if let Some(object) = tree.object(options) {
                attributes(tree, Some(&object), setting.defaults, span, report);
            }
        }
    }
}

fn attributes(tree: &Tree<'_>, options: Option<&Object<'_, '_>>, defaults: Defaults, span: Span, report: &mut Report) {
    let asked = [
        (Rule::CookieWithoutHttponly, &["httpOnly", "httponly"][..], defaults.http_only),
        (Rule::CookieWithoutSecure, &["secure"][..], defaults.secure),
        (Rule::CookieWithoutSamesite, &["sameSite", "samesite"][..], false),
    ];
    for (rule, names, by_default) in asked {
        let said = options.and_then(|options| names.iter().find_map(|name| options.get(name)));
        match said {
            Some(property) => {
                if matches!(tree.resolve(property.value), Expression::BooleanLiteral(literal) if !literal.value) {
                    report.at(rule, property.span.start);
                }
            }
            None if by_default || options.is_some_and(|options| options.open) => {}
            None => report.at(rule, span.start),
        }
    }
}

/// express-session and cookie-session; whether this call is one of them.
fn session_middleware(tree: &Tree<'_>, call: &CallExpression<'_>, report: &mut Report) -> bool {
    let Some((module, export)) = tree.origin(&call.callee) else { return false };
    if !matches!(export.as_str(), "default" | "*") {
        return false;
    }
    match module.as_str() {
        "express-session" | "fastify-session" | "@fastify/session" => {
            let Some(options) = argument(call, 0).and_then(|options| tree.object(options)) else { return true };
            match options.get("cookie") {
                None if options.open => {}
                None => attributes(tree, None, HTTP_ONLY, call.span, report),
                Some(cookie) => {
                    if let Some(object) = tree.object(cookie.value) {
                        attributes(tree, Some(&object), HTTP_ONLY, call.span, report);
                    }
                }
            }
            true
        }
        "cookie-session" => {
            if let Some(options) = argument(call, 0).and_then(|options| tree.object(options)) {
                attributes(tree, Some(&options), HTTP_ONLY, call.span, report);
            }
            true
        }
        _ => false,
    }
}

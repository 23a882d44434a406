//! Which calls make, verify and decode tokens, by library.

use crate::lookup::{Object, Tree, argument, bare};
use oxc_ast::AstKind;
use oxc_ast::ast::{Argument, CallExpression, Expression, NewExpression};
use oxc_semantic::NodeId;
use oxc_span::{GetSpan as _, Span};

/// What is done with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Sign,
    Verify,
    Decode,
}

/// By which library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Library {
    JsonWebToken,
    Nest,
    Jose,
    JwtDecode,
    FastJwt,
    /// What `createSigner` and `createVerifier` of fast-jwt have made.
    FastJwtMade,
    FastifyJwt,
    ExpressJwt,
    PassportJwt,
}

/// A call, or the making of something, that has to do with tokens.
pub(crate) struct Use<'t, 'a> {
    pub(crate) library: Library,
    pub(crate) verb: Verb,
    pub(crate) id: NodeId,
    pub(crate) span: Span,
    pub(crate) arguments: &'t [Argument<'a>],
    pub(crate) callee: Option<&'t Expression<'a>>,
}

impl<'t, 'a> Use<'t, 'a> {
    pub(crate) fn argument(&self, at: usize) -> Option<&'t Expression<'a>> {
        self.arguments.get(at).and_then(Argument::as_expression)
    }

    /// The options of this call, if they may stand at this place: a function there is a callback.
    pub(crate) fn options(&self, tree: &Tree<'a>, at: usize) -> Option<&'t Expression<'a>> {
        let found = self.argument(at)?;
        let callback =
            matches!(bare(found), Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_));
        let nothing = matches!(bare(found), Expression::NullLiteral(_)) || tree.path(found) == ["undefined"];
        (!callback && !nothing).then_some(found)
    }
}

/// All of them in a file.
pub(crate) struct Uses<'t, 'a> {
    pub(crate) all: Vec<Use<'t, 'a>>,
    /// The options of modules and plugins: their call, and what they were given.
    pub(crate) registered: Vec<(Library, Span, Option<&'t Expression<'a>>)>,
}

impl<'t, 'a> Uses<'t, 'a> {
    pub(crate) fn of(tree: &'t Tree<'a>) -> Self {
        let services = tree.typed("JwtService");
        let mut uses = Self { all: Vec::new(), registered: Vec::new() };
        for node in tree.semantic.nodes().iter() {
            match node.kind() {
                AstKind::CallExpression(call) => {
                    uses.registration(tree, call);
                    let found = of_call(tree, &services, call).or_else(|| of_super(tree, node.id(), call));
                    if let Some((library, verb)) = found {
                        let (arguments, callee) = (call.arguments.as_slice(), Some(&call.callee));
                        uses.all.push(Use { library, verb, id: node.id(), span: call.span, arguments, callee });
                    }
                }
                AstKind::NewExpression(new) => {
                    if let Some((library, verb)) = of_new(tree, new) {
                        let arguments = new.arguments.as_slice();
                        uses.all.push(Use { library, verb, id: node.id(), span: new.span, arguments, callee: None });
                    }
                }
                _ => {}
            }
        }
        uses
    }

    fn registration(&mut self, tree: &'t Tree<'a>, call: &'t CallExpression<'a>) {
        let path = tree.path(&call.callee);
        let [.., owner, method] = path.as_slice() else { return };
        if owner == "JwtModule" && matches!(method.as_str(), "register" | "registerAsync") {
            self.registered.push((Library::Nest, call.span, argument(call, 0)));
        }
        let plugin = || argument(call, 0).and_then(|plugin| tree.origin(plugin)).map(|(module, _)| module);
        if method == "register"
            && plugin().is_some_and(|module| matches!(module.as_str(), "@fastify/jwt" | "fastify-jwt"))
        {
            self.registered.push((Library::FastifyJwt, call.span, argument(call, 1)));
        }
    }

    /// The object of this name (`signOptions`, `verify`) that a module or plugin of this library was given in this file.
    pub(crate) fn of_module(&self, tree: &'t Tree<'a>, library: Library, name: &str) -> Option<Object<'t, 'a>> {
        self.registered.iter().filter(|(known, ..)| *known == library).find_map(|(_, span, given)| {
            let direct = given.and_then(|given| tree.object(given)).and_then(|object| object.get(name));
            let nested = || {
                tree.within(*span).find_map(|kind| match kind {
                    AstKind::ObjectProperty(property) if property.key.static_name().as_deref() == Some(name) => {
                        Some(&property.value)
                    }
                    _ => None,
                })
            };
            direct.map(|property| property.value).or_else(nested).and_then(|value| tree.object(value))
        })
    }

    /// Whether something verifies a token within this text.
    pub(crate) fn verifies_within(&self, span: Span) -> bool {
        let inside = |own: Span| span.start <= own.start && own.end <= span.end;
        self.all.iter().any(|used| used.verb == Verb::Verify && inside(used.span))
    }
}

fn of_call(tree: &Tree<'_>, services: &[String], call: &CallExpression<'_>) -> Option<(Library, Verb)> {
    let path = tree.path(&call.callee);
    let method = path.last()?.as_str();
    if let Some((module, export)) = tree.origin(&call.callee) {
        let found = match (module.as_str(), export.as_str()) {
            ("jsonwebtoken", "sign") => Some((Library::JsonWebToken, Verb::Sign)),
            ("jsonwebtoken", "verify") => Some((Library::JsonWebToken, Verb::Verify)),
            ("jsonwebtoken", "decode") => Some((Library::JsonWebToken, Verb::Decode)),
            ("jose", "jwtVerify") => Some((Library::Jose, Verb::Verify)),
            ("jose", "decodeJwt") => Some((Library::Jose, Verb::Decode)),
            ("jwt-decode", "jwtDecode" | "default" | "*" | "jwt_decode") => Some((Library::JwtDecode, Verb::Decode)),
            ("fast-jwt", "createVerifier") => Some((Library::FastJwt, Verb::Verify)),
            ("fast-jwt", "createSigner") => Some((Library::FastJwt, Verb::Sign)),
            ("fast-jwt", "createVerifier.()") => Some((Library::FastJwtMade, Verb::Verify)),
            ("fast-jwt", "createSigner.()") => Some((Library::FastJwtMade, Verb::Sign)),
            ("express-jwt", "expressjwt" | "default" | "*") => Some((Library::ExpressJwt, Verb::Verify)),
            ("@nestjs/jwt", "JwtService.new.sign" | "JwtService.new.signAsync") => Some((Library::Nest, Verb::Sign)),
            ("@nestjs/jwt", "JwtService.new.verify" | "JwtService.new.verifyAsync") => {
                Some((Library::Nest, Verb::Verify))
            }
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    if path.len() >= 2 && services.contains(&path[path.len() - 2]) {
        return match method {
            "sign" | "signAsync" => Some((Library::Nest, Verb::Sign)),
            "verify" | "verifyAsync" => Some((Library::Nest, Verb::Verify)),
            "decode" => Some((Library::Nest, Verb::Decode)),
            _ => None,
        };
    }
    match method {
        "jwtSign" if path.len() >= 2 => Some((Library::FastifyJwt, Verb::Sign)),
        "sign" if path.len() >= 3 && path[path.len() - 2] == "jwt" && path[0] != "this" => {
            Some((Library::FastifyJwt, Verb::Sign))
        }
        _ => None,
    }
}

/// `super({…})` of a strategy of Nest.
fn of_super(tree: &Tree<'_>, id: NodeId, call: &CallExpression<'_>) -> Option<(Library, Verb)> {
    if !matches!(call.callee, Expression::Super(_)) {
        return None;
    }
    let class = tree.semantic.nodes().ancestor_kinds(id).find_map(|kind| match kind {
        AstKind::Class(class) => Some(class),
        _ => None,
    })?;
    let base = &class.heritage.as_ref()?.expression;
    let strategy = match bare(base) {
        Expression::CallExpression(call) => argument(call, 0)?,
        other => other,
    };
    let (module, _) = tree.origin(strategy)?;
    (module == "passport-jwt").then_some((Library::PassportJwt, Verb::Verify))
}

fn of_new(tree: &Tree<'_>, new: &NewExpression<'_>) -> Option<(Library, Verb)> {
    match tree.origin(&new.callee)? {
        (module, export) if module == "jose" && export == "SignJWT" => Some((Library::Jose, Verb::Sign)),
        (module, export) if module == "passport-jwt" && export == "Strategy" => {
            Some((Library::PassportJwt, Verb::Verify))
        }
        _ => None,
    }
}

/// Names of what a node stands in, up to the function around it and its name: what a token is for is often said there.
pub(crate) fn names_around(tree: &Tree<'_>, id: NodeId) -> Vec<String> {
    let mut names = Vec::new();
    let mut functions = 0;
    for kind in tree.semantic.nodes().ancestor_kinds(id) {
        match kind {
            AstKind::VariableDeclarator(declarator) => {
                names.extend(declarator.id.get_identifier_name().map(|name| name.to_string()));
            }
            AstKind::ObjectProperty(property) => {
                names.extend(property.key.static_name().map(std::borrow::Cow::into_owned));
            }
            AstKind::AssignmentExpression(assigned) => {
                names.extend(assigned.left.get_expression().map(|left| tree.last_name(left)));
                let span = assigned.left.span();
                names.push(tree.source[span.start as usize..span.end as usize].to_owned());
            }
            AstKind::MethodDefinition(method) => {
                names.extend(method.key.static_name().map(std::borrow::Cow::into_owned));
            }
            AstKind::PropertyDefinition(property) => {
                names.extend(property.key.static_name().map(std::borrow::Cow::into_owned));
            }
            AstKind::CallExpression(call) if functions > 0 => {
                names.extend(argument(call, 0).and_then(|route| tree.text(route)));
            }
            AstKind::Function(function) => {
                names.extend(function.id.as_ref().map(|name| name.name.to_string()));
                functions += 1;
            }
            AstKind::ArrowFunctionExpression(_) => functions += 1,
            AstKind::Class(_) | AstKind::Program(_) => break,
            _ => {}
        }
        if functions > 1 {
            break;
        }
    }
    names
}

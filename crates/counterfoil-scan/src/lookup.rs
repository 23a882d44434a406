//! What an expression is, as far as one file tells: where a name comes from, what a constant holds, which options an object has.

use oxc_ast::AstKind;
use oxc_ast::ast::{
    Argument, AssignmentTarget, BindingPattern, CallExpression, Expression, IdentifierReference, ObjectExpression,
    ObjectPropertyKind, PropertyKey,
};
use oxc_semantic::{NodeId, Semantic, SymbolId};
use oxc_span::{GetSpan as _, Span};

/// How many names are followed, one after another.
const DEPTH: u8 = 5;

/// Stands in a text for what is not known of it.
pub(crate) const UNKNOWN: char = '\u{1}';

/// A file that has been read.
pub(crate) struct Tree<'a> {
    pub(crate) semantic: Semantic<'a>,
    pub(crate) source: &'a str,
}

/// How a name has come to be.
pub(crate) enum Declared<'t, 'a> {
    /// By a value.
    Value(&'t Expression<'a>),
    /// As this property of a value.
    Property(&'t Expression<'a>, String),
    /// From a module: which, and what of it (`*` for all).
    Import(String, String),
}

/// A property of an object.
#[derive(Clone, Copy)]
pub(crate) struct Property<'t, 'a> {
    pub(crate) value: &'t Expression<'a>,
    /// Of the whole property.
    pub(crate) span: Span,
}

/// What is known of an object.
pub(crate) struct Object<'t, 'a> {
    pub(crate) properties: Vec<(String, Property<'t, 'a>)>,
    /// Whether it may have more.
    pub(crate) open: bool,
}

impl<'t, 'a> Object<'t, 'a> {
    /// The last property of that name counts.
    pub(crate) fn get(&self, name: &str) -> Option<Property<'t, 'a>> {
        self.properties.iter().rev().find(|(known, _)| known == name).map(|(_, property)| *property)
    }

    pub(crate) fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.get(name).is_some())
    }
}

/// Without parentheses, types, `await` and optional chaining.
pub(crate) fn bare<'t, 'a>(expression: &'t Expression<'a>) -> &'t Expression<'a> {
    match expression.get_inner_expression() {
        Expression::AwaitExpression(awaited) => bare(&awaited.argument),
        inner => inner,
    }
}

/// The arguments that are no spreads.
pub(crate) fn argument<'t, 'a>(call: &'t CallExpression<'a>, at: usize) -> Option<&'t Expression<'a>> {
    call.arguments.get(at).and_then(Argument::as_expression)
}

impl<'a> Tree<'a> {
    /// How the name of this reference was declared, if it is declared once and never changed.
    pub(crate) fn declared(&self, name: &IdentifierReference<'a>) -> Option<Declared<'_, 'a>> {
        let scoping = self.semantic.scoping();
        let symbol = scoping.get_reference(name.reference_id.get()?).symbol_id()?;
        if scoping.symbol_is_mutated(symbol) {
            return None;
        }
        let node = self.semantic.symbol_declaration(symbol);
        match node.kind() {
            AstKind::VariableDeclarator(declarator) => {
                let init = declarator.init.as_ref()?;
                Self::bound(&declarator.id, symbol, init)
            }
            AstKind::ImportSpecifier(specifier) => {
                let module = self.module_around(node.id())?;
                Some(Declared::Import(module, specifier.imported.name().to_string()))
            }
            AstKind::ImportDefaultSpecifier(_) => {
                Some(Declared::Import(self.module_around(node.id())?, "default".into()))
            }
            AstKind::ImportNamespaceSpecifier(_) => Some(Declared::Import(self.module_around(node.id())?, "*".into())),
            _ => None,
        }
    }

    fn bound<'t>(pattern: &BindingPattern<'a>, symbol: SymbolId, init: &'t Expression<'a>) -> Option<Declared<'t, 'a>> {
        match pattern {
            BindingPattern::BindingIdentifier(_) => Some(Declared::Value(init)),
            BindingPattern::ObjectPattern(object) => object.properties.iter().find_map(|property| {
                let inner = match &property.value {
                    BindingPattern::AssignmentPattern(default) => &default.left,
                    other => other,
                };
                let BindingPattern::BindingIdentifier(identifier) = inner else { return None };
                let own = identifier.symbol_id.get() == Some(symbol);
                own.then(|| property.key.static_name())?.map(|key| Declared::Property(init, key.into_owned()))
            }),
            BindingPattern::ArrayPattern(list) => list.elements.iter().enumerate().find_map(|(at, element)| {
                let Some(BindingPattern::BindingIdentifier(identifier)) = element else { return None };
                (identifier.symbol_id.get() == Some(symbol)).then(|| Declared::Property(init, at.to_string()))
            }),
            BindingPattern::AssignmentPattern(_) => None,
        }
    }

    fn module_around(&self, id: NodeId) -> Option<String> {
        self.semantic.nodes().ancestor_kinds(id).find_map(|kind| match kind {
            AstKind::ImportDeclaration(import) => Some(import.source.value.to_string()),
            _ => None,
        })
    }

    /// The value behind names and members of constants.
    pub(crate) fn resolve<'t>(&'t self, expression: &'t Expression<'a>) -> &'t Expression<'a> {
        self.resolve_to(expression, DEPTH)
    }

    fn resolve_to<'t>(&'t self, expression: &'t Expression<'a>, depth: u8) -> &'t Expression<'a> {
        let plain = bare(expression);
        if depth == 0 {
            return plain;
        }
        match plain {
            Expression::Identifier(name) => match self.declared(name) {
                Some(Declared::Value(init)) => self.resolve_to(init, depth - 1),
                Some(Declared::Property(init, key)) => self.member(init, &key, depth - 1).unwrap_or(plain),
                _ => plain,
            },
            Expression::StaticMemberExpression(member) => {
                self.member(&member.object, member.property.name.as_str(), depth - 1).unwrap_or(plain)
            }
            _ => plain,
        }
    }

    fn member<'t>(&'t self, object: &'t Expression<'a>, name: &str, depth: u8) -> Option<&'t Expression<'a>> {
        let Expression::ObjectExpression(object) = self.resolve_to(object, depth) else { return None };
        object.properties.iter().find_map(|property| match property {
            ObjectPropertyKind::ObjectProperty(own) if own.key.static_name().as_deref() == Some(name) => {
                Some(self.resolve_to(&own.value, depth))
            }
            _ => None,
        })
    }

    /// The text that an expression gives, with [`UNKNOWN`] for what is not known of it; nothing if it is no text.
    pub(crate) fn text(&self, expression: &Expression<'a>) -> Option<String> {
        match self.resolve(expression) {
            Expression::StringLiteral(literal) => Some(literal.value.to_string()),
            Expression::TemplateLiteral(template) => {
                let mut text = String::new();
                for (at, quasi) in template.quasis.iter().enumerate() {
                    text.push_str(quasi.value.cooked.as_ref().unwrap_or(&quasi.value.raw));
                    if let Some(expression) = template.expressions.get(at) {
                        text.push_str(&self.text(expression).unwrap_or_else(|| UNKNOWN.to_string()));
                    }
                }
                Some(text)
            }
            Expression::BinaryExpression(sum) if sum.operator.as_str() == "+" => {
                let (left, right) = (self.text(&sum.left), self.text(&sum.right));
                if left.is_none() && right.is_none() {
                    return None;
                }
                let known = |part: Option<String>| part.unwrap_or_else(|| UNKNOWN.to_string());
                Some(known(left) + &known(right))
            }
            Expression::LogicalExpression(either) => self.text(&either.left).or_else(|| self.text(&either.right)),
            Expression::CallExpression(call) => self.joined(call),
            _ => None,
        }
    }

    /// `[…].join('; ')`.
    fn joined(&self, call: &CallExpression<'a>) -> Option<String> {
        let Expression::StaticMemberExpression(member) = bare(&call.callee) else { return None };
        let Expression::ArrayExpression(list) = self.resolve(&member.object) else { return None };
        if member.property.name != "join" {
            return None;
        }
        let between = argument(call, 0).and_then(|between| self.text(between)).unwrap_or_else(|| ",".into());
        let part = |element: &oxc_ast::ast::ArrayExpressionElement<'a>| {
            element.as_expression().and_then(|element| self.text(element)).unwrap_or_else(|| UNKNOWN.to_string())
        };
        Some(list.elements.iter().map(part).collect::<Vec<_>>().join(&between))
    }

    /// The names of a chain of members: `window.localStorage` is `["window", "localStorage"]`. Calls within it are passed through.
    pub(crate) fn path(&self, expression: &Expression<'a>) -> Vec<String> {
        match bare(expression) {
            Expression::Identifier(name) => vec![name.name.to_string()],
            Expression::ThisExpression(_) => vec!["this".into()],
            Expression::StaticMemberExpression(member) => {
                let mut names = self.path(&member.object);
                names.push(member.property.name.to_string());
                names
            }
            Expression::PrivateFieldExpression(member) => {
                let mut names = self.path(&member.object);
                names.push(member.field.name.to_string());
                names
            }
            Expression::ComputedMemberExpression(member) => {
                let mut names = self.path(&member.object);
                names.push(self.text(&member.expression).unwrap_or_else(|| UNKNOWN.to_string()));
                names
            }
            Expression::CallExpression(call) => self.path(&call.callee),
            Expression::ChainExpression(chain) => match &chain.expression {
                oxc_ast::ast::ChainElement::CallExpression(call) => self.path(&call.callee),
                element => element
                    .as_member_expression()
                    .map(|member| {
                        let mut names = self.path(member.object());
                        names.push(
                            member.static_property_name().map(std::string::ToString::to_string).unwrap_or_default(),
                        );
                        names
                    })
                    .unwrap_or_default(),
            },
            _ => Vec::new(),
        }
    }

    /// The last name of it: of a member the property, of a call what is called.
    pub(crate) fn last_name(&self, expression: &Expression<'a>) -> String {
        self.path(expression).pop().unwrap_or_default()
    }

    /// From which module a value comes, and as what of it.
    pub(crate) fn origin(&self, expression: &Expression<'a>) -> Option<(String, String)> {
        self.origin_to(expression, DEPTH)
    }

    fn origin_to(&self, expression: &Expression<'a>, depth: u8) -> Option<(String, String)> {
        if depth == 0 {
            return None;
        }
        let of = |(module, export): (String, String), name: &str| match export.as_str() {
            "*" | "default" => (module, name.to_owned()),
            _ => (module, format!("{export}.{name}")),
        };
        match bare(expression) {
            Expression::Identifier(name) => match self.declared(name)? {
                Declared::Import(module, export) => Some((module, export)),
                Declared::Value(init) => self.origin_to(init, depth - 1),
                Declared::Property(init, key) => self.origin_to(init, depth - 1).map(|origin| of(origin, &key)),
            },
            Expression::StaticMemberExpression(member) => {
                self.origin_to(&member.object, depth - 1).map(|origin| of(origin, member.property.name.as_str()))
            }
            Expression::CallExpression(call) => {
                let called = self.last_name(&call.callee);
                match called.as_str() {
                    "require" => {
                        argument(call, 0).and_then(|module| self.text(module)).map(|module| (module, "*".into()))
                    }
                    "promisify" | "bind" if called == "promisify" => {
                        argument(call, 0).and_then(|inner| self.origin_to(inner, depth - 1))
                    }
                    _ => self.origin_to(&call.callee, depth - 1).map(|origin| of(origin, "()")),
                }
            }
            Expression::NewExpression(new) => self.origin_to(&new.callee, depth - 1).map(|origin| of(origin, "new")),
            Expression::ImportExpression(import) => self.text(&import.source).map(|module| (module, "*".into())),
            _ => None,
        }
    }

    /// The properties of an object that is visible in this file; nothing if it is not.
    pub(crate) fn object<'t>(&'t self, expression: &'t Expression<'a>) -> Option<Object<'t, 'a>> {
        match self.resolve(expression) {
            Expression::ObjectExpression(object) => {
                let mut known = Object { properties: Vec::new(), open: false };
                self.gather(object, &mut known, DEPTH);
                known.open |= self.is_filled_later(expression);
                Some(known)
            }
            _ => None,
        }
    }

    /// Whether a constant's properties are set after it was made.
    fn is_filled_later(&self, expression: &Expression<'a>) -> bool {
        let Expression::Identifier(constant) = bare(expression) else { return false };
        self.semantic.nodes().iter().any(|node| match node.kind() {
            AstKind::AssignmentExpression(assigned) => match &assigned.left {
                AssignmentTarget::StaticMemberExpression(member) => {
                    self.path(&member.object) == [constant.name.as_str()]
                }
                _ => false,
            },
            AstKind::CallExpression(call) => {
                self.path(&call.callee) == ["Object", "assign"]
                    && argument(call, 0).is_some_and(|target| self.path(target) == [constant.name.as_str()])
            }
            _ => false,
        })
    }

    fn gather<'t>(&'t self, object: &'t ObjectExpression<'a>, known: &mut Object<'t, 'a>, depth: u8) {
        for property in &object.properties {
            match property {
                ObjectPropertyKind::ObjectProperty(own) => match own.key.static_name() {
                    Some(name) => {
                        known.properties.push((name.into_owned(), Property { value: &own.value, span: own.span }));
                    }
                    None => known.open |= !matches!(own.key, PropertyKey::StringLiteral(_)),
                },
                ObjectPropertyKind::SpreadProperty(spread) => match self.resolve(&spread.argument) {
                    Expression::ObjectExpression(inner) if depth > 0 => self.gather(inner, known, depth - 1),
                    _ => known.open = true,
                },
            }
        }
    }

    /// The names of parameters and properties of this type, as far as annotations and `inject(…)` say.
    pub(crate) fn typed(&self, wanted: &str) -> Vec<String> {
        let said = |span: Span| self.source[span.start as usize..span.end as usize].contains(wanted);
        let mut names = Vec::new();
        for node in self.semantic.nodes().iter() {
            match node.kind() {
                AstKind::FormalParameter(parameter) => {
                    let annotated = parameter.type_annotation.as_ref().is_some_and(|annotation| said(annotation.span));
                    if let (true, BindingPattern::BindingIdentifier(name)) = (annotated, &parameter.pattern) {
                        names.push(name.name.to_string());
                    }
                }
                AstKind::PropertyDefinition(property) => {
                    let annotated = property.type_annotation.as_ref().is_some_and(|annotation| said(annotation.span));
                    let injected = property.value.as_ref().is_some_and(|value| said(value.span()));
                    if let (true, Some(name)) = (annotated || injected, property.key.static_name()) {
                        names.push(name.into_owned());
                    }
                }
                _ => {}
            }
        }
        names
    }

    pub(crate) fn is_typed(&self, name: &str, wanted: &str) -> bool {
        self.typed(wanted).iter().any(|known| known == name)
    }

    /// The function that stands around a node, or the file.
    pub(crate) fn function_around(&self, id: NodeId) -> Option<NodeId> {
        let nodes = self.semantic.nodes();
        nodes.ancestors(id).find(|node| is_function(node.kind())).map(oxc_semantic::AstNode::id)
    }

    /// All nodes within this one's text.
    pub(crate) fn within(&self, span: Span) -> impl Iterator<Item = AstKind<'a>> + '_ {
        let inside = move |kind: &AstKind<'a>| {
            let own = kind.span();
            span.start <= own.start && own.end <= span.end
        };
        self.semantic.nodes().iter().map(oxc_semantic::AstNode::kind).filter(inside)
    }
}

pub(crate) const fn is_function(kind: AstKind<'_>) -> bool {
    matches!(kind, AstKind::Function(_) | AstKind::ArrowFunctionExpression(_))
}

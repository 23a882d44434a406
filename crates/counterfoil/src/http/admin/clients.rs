//! `/api/admin/clients`.

use super::{Reader, ended};
use crate::app::App;
use crate::flow::administer::Administrator;
use crate::flow::clients::{self, Added};
use crate::http::extract::JsonBody;
use crate::http::problem::{Code, Problem};
use crate::http::receipt::{ReceiptView, WantsReceipt};
use crate::http::view::{json, rfc3339};
use axum::extract::{Path, State};
use axum::response::Response;
use counterfoil_core::{ClientName, Secret};
use counterfoil_guard::{KeySet, KeySetError};
use http::StatusCode;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A service to be added.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct ClientBody {
    /// 1 to 64 letters, digits, dots, dashes and underscores; what it may have stands in the configuration under this name.
    name: String,
    /// Its public keys, as a JWK Set: it proves itself by `private_key_jwt`. Without them it gets a secret.
    #[schema(value_type = Option<Object>)]
    jwks: Option<serde_json::Value>,
}

/// Make a service's credential. A secret is shown once.
#[utoipa::path(post, path = "/api/admin/clients", tag = "admin", request_body = ClientBody, responses(
    (status = 201), (status = 400, description = "`malformed`"), (status = 409, description = "`name_taken`"),
))]
pub(in crate::http) async fn create(
    by: Administrator,
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<ClientBody>,
) -> Result<Response, Problem> {
    let malformed = |detail: &str| Problem::new(Code::Malformed).detail(detail.to_owned());
    let name: ClientName = body
        .name
        .parse()
        .map_err(|_| malformed("`name` must be 1 to 64 letters, digits, dots, dashes and underscores"))?;
    let jwks = body.jwks.map(|jwks| usable(&jwks).map_err(malformed)).transpose()?;
    if app.applications.contains_key(name.as_str()) {
        return Err(malformed("an application has this `name`; a token's `client_id` could mean either"));
    }
    let configured = app.rules.contains_key(name.as_str());
    match clients::add(&app, &by, name.clone(), jwks).await? {
        Added::NameTaken => Err(Problem::new(Code::NameTaken)),
        Added::Done(secret) => {
            let secret = secret.as_ref().map(Secret::expose);
            let made =
                serde_json::json!({ "client_id": name.as_str(), "client_secret": secret, "configured": configured });
            Ok(json(StatusCode::CREATED, &made))
        }
    }
}

/// What a service shall prove itself by from now on.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct RenewBody {
    /// Its public keys, as a JWK Set. Without them it gets a new secret.
    #[schema(value_type = Option<Object>)]
    jwks: Option<serde_json::Value>,
}

/// Give a service another credential; its tokens live on. A secret is shown once.
#[utoipa::path(post, path = "/api/admin/clients/{name}/renew", tag = "admin", params(("name" = String, Path)),
    request_body = RenewBody,
    responses((status = 200), (status = 400, description = "`malformed`"), (status = 404)))]
pub(in crate::http) async fn renew(
    by: Administrator,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    JsonBody(body): JsonBody<RenewBody>,
) -> Result<Response, Problem> {
    let name: ClientName = name.parse().map_err(|_| Problem::new(Code::NotFound))?;
    let malformed = |detail: &str| Problem::new(Code::Malformed).detail(detail.to_owned());
    let jwks = body.jwks.map(|jwks| usable(&jwks).map_err(malformed)).transpose()?;
    let secret = clients::renew(&app, &by, name.clone(), jwks).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
    let secret = secret.as_ref().map(Secret::expose);
    Ok(json(StatusCode::OK, &serde_json::json!({ "client_id": name.as_str(), "client_secret": secret })))
}

/// The keys as text, if at least one of them can verify.
fn usable(jwks: &serde_json::Value) -> Result<String, &'static str> {
    let text = jwks.to_string();
    match KeySet::from_jwks(text.as_bytes()) {
        Ok(keys) if !keys.is_empty() => Ok(text),
        Ok(_) => Err("`jwks` has no key that can verify here: one needs kid, and alg EdDSA, Ed25519 or ES256"),
        Err(KeySetError::PrivateKey) => Err("`jwks` holds a private key; give the public half, and make a new pair"),
        Err(_) => Err("`jwks` must be a JWK Set (RFC 7517 section 5) of at most 64 keys, each with a kid of its own"),
    }
}

/// List the services.
#[utoipa::path(get, path = "/api/admin/clients", tag = "admin", responses((status = 200)))]
pub(in crate::http) async fn list(_: Reader, State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let known = app.parties.clients();
    let view = |client: crate::store::Client| {
        let resources = app.rules.get(client.name.as_str()).map(|rules| rules.resources.keys().collect::<Vec<_>>());
        serde_json::json!({
            "client_id": client.name.as_str(), "created_at": rfc3339(client.created_at),
            "method": known.get(&client.name).map(|known| known.method()), "resources": resources.unwrap_or_default(),
        })
    };
    let all: Vec<_> = app.store.clients().await?.into_iter().map(view).collect();
    Ok(json(StatusCode::OK, &serde_json::json!({ "clients": all })))
}

/// Take a service's credential back, and all its tokens with it.
#[utoipa::path(post, path = "/api/admin/clients/{name}/revoke", tag = "admin", params(("name" = String, Path)),
    responses((status = 200, body = ReceiptView), (status = 204), (status = 404)))]
pub(in crate::http) async fn revoke(
    by: Administrator,
    State(app): State<Arc<App>>,
    wants: WantsReceipt,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let name = name.parse().map_err(|_| Problem::new(Code::NotFound))?;
    ended(&app, wants, clients::remove(&app, &by, name).await?).await
}

//! T2 at the start: an application or a resource whose tokens could never fit stops it, rather than the first sign-in.

use super::start::StartError;
use crate::app::{Application, Resource};
use crate::keyring::Keyring;
use counterfoil_core::issue::{MintPolicy, Minted, OverBudget, Proof, Statement, mint};
use counterfoil_core::keys::signing::SigningKey;
use counterfoil_core::{ClientName, Jti, Sid, Timestamp, UserId};
use counterfoil_guard::{Actor, StatusReference, Subject};
use std::collections::BTreeMap;

/// A time whose number is as long as any will be for three hundred years.
const SOME_TIME: Timestamp = Timestamp::from_seconds(9_000_000_000);

/// Mints one token for each, with the longest place in a status list where it says one, saying all that does not depend on whom it speaks for. Roles and what is private come on top.
pub fn check(
    applications: &BTreeMap<String, Application>,
    (resources, clients): (&BTreeMap<String, Resource>, impl Iterator<Item = ClientName>),
    (ring, list): (&Keyring, &StatusReference),
) -> Result<(), StartError> {
    let amr = ["pwd".to_owned()];
    for (name, application) in applications {
        let said = Statement { client_id: name, ..anybody(&amr, list) };
        measure(ring.signing(application.algorithm), &application.mint, &said)
            .map_err(|error| over("applications", name, error))?;
    }
    // Without services, only the gate makes tokens for resources.
    let longest = clients.max_by_key(|name| name.as_str().len());
    let actor = |name: &ClientName| Actor { sub: Subject::Client(name.clone()), sid: sid(), act: None };
    let act = longest.as_ref().map(actor);
    let client = longest.as_ref().map_or("web", ClientName::as_str);
    for (name, resource) in resources {
        let scope = (!resource.scopes.is_empty()).then(|| resource.scopes.join(" "));
        let said = Statement { client_id: client, scope: scope.as_deref(), act: act.as_ref(), ..anybody(&amr, list) };
        measure(ring.signing(resource.algorithm), &resource.mint, &said)
            .map_err(|error| over("resources", name, error))?;
    }
    Ok(())
}

fn over(section: &str, name: &str, OverBudget { size, budget }: OverBudget) -> StartError {
    StartError::OverBudget { key: format!("{section}.{name}.token_budget"), size, budget }
}

fn anybody<'a>(amr: &'a [String], list: &StatusReference) -> Statement<'a> {
    Statement {
        sub: Subject::User(UserId::from_bytes([0; 16])),
        client_id: "",
        sid: sid(),
        proof: Some(Proof { auth_time: SOME_TIME.as_seconds(), acr: "aal1", amr }),
        claims_version: 0,
        scope: None,
        act: None,
        not_after: SOME_TIME.plus(std::time::Duration::from_hours(1)),
        bound_to: None,
        status: Some(list.clone()),
        person: None,
    }
}

const fn sid() -> Sid {
    Sid::from_bytes([0; 16])
}

/// The token is measured and thrown away: nothing about it need be random.
fn measure(key: &SigningKey, policy: &MintPolicy, said: &Statement<'_>) -> Result<Minted, OverBudget> {
    mint(key, policy, said, SOME_TIME, (Jti::from_bytes([0; 16]), 0, &mut || [1; 32]))
}

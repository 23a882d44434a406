//! Accounts from other systems, as the seam sees them.

use counterfoil_core::user::{Role, User};

pub use counterfoil_core::import::Account as ImportedAccount;

/// What came of an attempt to import an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportOutcome {
    /// It is there now; durable.
    Done,
    /// There was an account with this address or external id already, and it is as it was.
    AlreadyThere,
    /// There are as many accounts as there may be.
    Full,
}

/// What the audit log says of accounts that were imported: how many, and which of them have roles.
pub(crate) fn imported_detail<'a>(made: impl Iterator<Item = &'a User>) -> String {
    const NAMED: usize = 50;
    let (mut count, mut with_roles) = (0, Vec::new());
    for user in made {
        count += 1;
        if !user.roles.is_empty() {
            let roles: Vec<&str> = user.roles.iter().map(Role::as_str).collect();
            with_roles.push(format!("{} {}", user.id, roles.join(",")));
        }
    }
    let more = with_roles.len().saturating_sub(NAMED);
    with_roles.truncate(NAMED);
    if more > 0 {
        with_roles.push(format!("and {more} more with roles"));
    }
    [vec![count.to_string()], with_roles].concat().join("; ")
}

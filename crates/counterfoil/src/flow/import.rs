//! `POST /api/admin/users/import`: a batch of accounts from another system. What is wrong with one does not keep the others out.

use super::administer::Administrator;
use crate::app::App;
use crate::clock::random;
use crate::store::legacy::AccountName;
use crate::store::{ImportOutcome, ImportedAccount, StoreError};
use counterfoil_core::UserId;
use counterfoil_core::audit::Event;
use counterfoil_core::credential::stored::NO_PASSWORD;
use counterfoil_core::import::{Row, Wrong};
use std::collections::HashSet;

/// The most accounts in one batch, which is one transaction.
pub const MAX_BATCH: usize = 500;

/// Whether anything is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The accounts go in.
    Write,
    /// Only what would come of it is said.
    DryRun,
}

/// What came of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many went in, or would.
    pub done: usize,
    /// How many of those have no password.
    pub without_password: usize,
    /// How many have an address that was taken, and were left alone.
    pub already_there: usize,
    /// Which were not taken, by their place in the batch.
    pub refused: Vec<(usize, Wrong)>,
}

/// Takes a batch over. Doing it again changes nothing.
pub async fn import(app: &App, by: &Administrator, rows: Vec<Row>, mode: Mode) -> Result<Imported, StoreError> {
    let now = app.clock.now();
    let mut imported = Imported::default();
    let (mut accounts, mut places) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    for (place, row) in rows.into_iter().enumerate() {
        match row.check(UserId::from_bytes(random()), now) {
            Ok(account) => {
                accounts.push(account);
                places.push(place);
            }
            Err(wrong) => imported.refused.push((place, wrong)),
        }
    }
    let without: Vec<bool> = accounts.iter().map(|account| account.hash == NO_PASSWORD).collect();
    let most = app.config.registration.max_users;
    let outcomes = match mode {
        Mode::DryRun => foresee(app, &accounts).await?,
        Mode::Write => app.store.import(accounts, most, by.entry(app, Event::AccountsImported, None, "")).await?,
    };
    for ((outcome, without_password), place) in outcomes.into_iter().zip(without).zip(places) {
        match outcome {
            ImportOutcome::Full => imported.refused.push((place, Wrong::Full)),
            ImportOutcome::AlreadyThere => imported.already_there += 1,
            ImportOutcome::Done => {
                imported.done += 1;
                imported.without_password += usize::from(without_password);
            }
        }
    }
    imported.refused.sort_by_key(|(place, _)| *place);
    Ok(imported)
}

/// What would come of it.
async fn foresee(app: &App, accounts: &[ImportedAccount]) -> Result<Vec<ImportOutcome>, StoreError> {
    let mut seen = HashSet::new();
    let mut room = match app.config.registration.max_users {
        Some(most) => Some(most - app.store.count_users(most).await?),
        None => None,
    };
    let mut outcomes = Vec::with_capacity(accounts.len());
    for account in accounts {
        let key = account.user.email.key();
        let mut taken = app.store.credential(&key).await?.is_some() || !seen.insert(key);
        if let Some(id) = &account.external_id {
            taken |= app.store.legacy_account(AccountName::ExternalId(id)).await?.is_some();
            // No address is like it: a space stands in none.
            taken |= !seen.insert(format!("id {id}"));
        }
        outcomes.push(match room {
            _ if taken => ImportOutcome::AlreadyThere,
            Some(0) => ImportOutcome::Full,
            _ => ImportOutcome::Done,
        });
        if outcomes.last() == Some(&ImportOutcome::Done) {
            room = room.map(|room| room - 1);
        }
    }
    Ok(outcomes)
}

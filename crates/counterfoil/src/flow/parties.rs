//! Guards and services that can prove themselves, as this process knows them: what the store has, read anew at every change.

use super::clients::{KnownClient, known};
use crate::store::{Store, StoreError};
use counterfoil_core::ClientName;
use parking_lot::RwLock;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What is known of them.
#[derive(Debug, Default)]
pub struct KnownParties {
    /// Guards by the SHA-256 of their credential.
    guards: RwLock<HashMap<[u8; 32], String>>,
    clients: RwLock<BTreeMap<ClientName, Arc<KnownClient>>>,
    /// One reading at a time, so that none puts back what a later one has brought.
    reloading: tokio::sync::Mutex<()>,
}

impl KnownParties {
    /// Takes them in as the store has them. To be called after each change that has been committed.
    pub async fn reload(&self, store: &dyn Store) -> Result<(), StoreError> {
        let _one = self.reloading.lock().await;
        let guards = store.guards().await?.into_iter().map(|guard| (guard.hash, guard.name)).collect();
        let clients = known(store.clients().await?)?;
        *self.guards.write() = guards;
        *self.clients.write() = clients;
        Ok(())
    }

    /// The guard with this credential.
    pub fn guard(&self, hash: &[u8; 32]) -> Option<String> {
        self.guards.read().get(hash).cloned()
    }

    /// The service of this name.
    pub fn client(&self, name: &ClientName) -> Option<Arc<KnownClient>> {
        self.clients.read().get(name).map(Arc::clone)
    }

    /// All services.
    pub fn clients(&self) -> BTreeMap<ClientName, Arc<KnownClient>> {
        self.clients.read().clone()
    }

    /// At once, whatever comes of reading them anew.
    pub fn forget_guard(&self, name: &str) {
        self.guards.write().retain(|_, kept| kept != name);
    }

    /// At once, whatever comes of reading them anew.
    pub fn forget_client(&self, name: &ClientName) {
        self.clients.write().remove(name);
    }
}

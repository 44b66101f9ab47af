//! Reading users: one through the cache, many by page.

use api::cursor::{self, Signer};
use cache::Cache;
use contracts::EmployeeId;

use crate::{
    store::{self, Filter, Store},
    user::EnrichedUser,
};

#[derive(Debug, Clone)]
pub struct FindUsers {
    store: Store,
    cache: Cache,
    signer: Signer,
}

#[derive(Debug)]
pub struct Page {
    pub users: Vec<EnrichedUser>,
    /// Continues after this page; `None` at the end.
    pub next: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Cursor(#[from] cursor::Error),
    #[error("the users could not be read")]
    Store(#[from] store::Error),
}

impl FindUsers {
    pub fn new(store: Store, cache: Cache, signer: Signer) -> Self {
        Self { store, cache, signer }
    }

    /// The user's JSON, as it is sent: what comes from the cache is not parsed again.
    pub async fn get(&self, id: &EmployeeId) -> Result<Option<String>, store::Error> {
        let key = cache_key(id);
        if let Some(json) = self.cache.get(&key).await {
            return Ok(Some(json));
        }
        let Some(stored) = self.store.user(id).await? else { return Ok(None) };
        let json = serde_json::to_string(&stored.user).expect("a user's JSON has string keys");
        self.cache.fill(&key, &json).await;
        Ok(Some(json))
    }

    pub async fn list(&self, filter: &Filter, cursor: Option<&str>, limit: usize) -> Result<Page, Error> {
        let query = filter.canonical();
        let after = match cursor {
            Some(cursor) => {
                let id = self.signer.open(&query, cursor).await?;
                Some(EmployeeId::parse(id).map_err(|_| cursor::Error::Invalid)?)
            }
            None => None,
        };
        // One more than asked for tells whether there is a next page.
        let mut users = self.store.list(filter, after.as_ref(), limit + 1).await?;
        let is_last = users.len() <= limit;
        users.truncate(limit);
        let next = match users.last() {
            Some(last) if !is_last => Some(self.signer.seal(&query, last.id.as_str()).await?),
            _ => None,
        };
        Ok(Page { users, next })
    }
}

/// The enrichment invalidates what the query fills.
pub(crate) fn cache_key(id: &EmployeeId) -> String {
    format!("user:{id}")
}

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

#[cfg(test)]
mod tests {
    use aws::Aws;
    use contracts::Text;
    use jiff::Timestamp;
    use runtime::Vars;

    use super::*;
    use crate::{
        merge::{merge, tests::event},
        store::Memory,
        user::StoredUser,
    };

    fn find() -> FindUsers {
        let vars = Vars::from_iter(aws::EMULATED)
            .with("CURSOR_KEY", "a-key-that-is-long-enough-for-the-cursors-of-a-test");
        let aws = Aws::from_vars(&vars).unwrap();
        FindUsers::new(
            Store::Memory(Memory::default()),
            Cache::from_vars(&vars, &aws).unwrap(),
            Signer::from_vars(&vars, &aws).unwrap(),
        )
    }

    async fn stored(find: &FindUsers, id: &str) -> StoredUser {
        let mut event = event();
        event.employee.id = EmployeeId::parse(id).unwrap();
        let user = merge(&event, None, None, Timestamp::UNIX_EPOCH);
        find.store.save(&user, None).await.unwrap();
        user
    }

    #[tokio::test]
    async fn a_user_is_read_from_the_cache_until_it_is_invalidated() {
        let find = find();
        let (mut ada, bob) = (stored(&find, "E1").await, stored(&find, "E2").await);
        let got = async |of: &StoredUser| find.get(&of.user.id).await.unwrap();
        let (before, other) = (got(&ada).await.unwrap(), got(&bob).await.unwrap());
        assert_eq!(before, serde_json::to_string(&ada.user).unwrap());
        assert_eq!(other, serde_json::to_string(&bob.user).unwrap());
        let read = ada.clone();
        ada.user.version += 1;
        find.store.save(&ada, Some(&read)).await.unwrap();
        assert_eq!(got(&ada).await, Some(before));
        find.cache.invalidate(&cache_key(&ada.user.id)).await;
        assert_eq!(got(&ada).await, Some(serde_json::to_string(&ada.user).unwrap()));
        assert_eq!(find.get(&EmployeeId::parse("E3").unwrap()).await.unwrap(), None);
    }

    #[tokio::test]
    async fn pages_go_on_where_the_last_one_ended_and_the_last_one_says_so() {
        let find = find();
        for id in ["E1", "E2", "E3", "E4"] {
            stored(&find, id).await;
        }
        for (limit, expected) in [
            (1, vec![vec!["E1"], vec!["E2"], vec!["E3"], vec!["E4"]]),
            (2, vec![vec!["E1", "E2"], vec!["E3", "E4"]]),
            (3, vec![vec!["E1", "E2", "E3"], vec!["E4"]]),
            (4, vec![vec!["E1", "E2", "E3", "E4"]]),
        ] {
            let (mut pages, mut cursor) = (Vec::new(), None);
            loop {
                let page = find.list(&Filter::default(), cursor.as_deref(), limit).await.unwrap();
                pages.push(page.users.iter().map(|user| user.id.to_string()).collect::<Vec<_>>());
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(pages, expected);
        }
    }

    #[tokio::test]
    async fn a_cursor_is_good_for_its_own_filter_only() {
        let find = find();
        for id in ["E1", "E2"] {
            stored(&find, id).await;
        }
        let page = find.list(&Filter::default(), None, 1).await.unwrap();
        let other = Filter { department: Text::parse("Engines").ok(), email: None };
        let refused = find.list(&other, page.next.as_deref(), 1).await;
        assert!(matches!(refused, Err(Error::Cursor(cursor::Error::Invalid))), "{refused:?}");
    }
}

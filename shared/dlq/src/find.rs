use api::cursor::{self, Signer};

use crate::{
    letter::{DeadLetter, LetterId},
    store::{Position, Store},
};

/// Shows dead letters.
#[derive(Debug, Clone)]
pub struct Find {
    store: Store,
    signer: Signer,
}

#[derive(Debug)]
pub struct Page {
    pub letters: Vec<DeadLetter>,
    /// Continues after this page; `None` at the end.
    pub next: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Cursor(#[from] cursor::Error),
    #[error("the dead letters could not be read")]
    Store(#[from] dynamo::Error),
}

/// What a cursor of the list is good for.
const QUERY: &str = "dead-letters";

impl Find {
    pub fn new(store: Store, signer: Signer) -> Self {
        Self { store, signer }
    }

    pub async fn get(&self, id: &LetterId) -> Result<Option<DeadLetter>, dynamo::Error> {
        self.store.get(id).await
    }

    /// The newest first.
    pub async fn list(&self, cursor: Option<&str>, limit: usize) -> Result<Page, Error> {
        let after = match cursor {
            Some(cursor) => {
                Some(Position::parse(&self.signer.open(QUERY, cursor).await?).ok_or(cursor::Error::Invalid)?)
            }
            None => None,
        };
        // One more than asked for tells whether there is a next page.
        let mut letters = self.store.list(after, limit + 1).await?;
        let is_last = letters.len() <= limit;
        letters.truncate(limit);
        let next = match letters.last() {
            Some(last) if !is_last => Some(self.signer.seal(QUERY, &Position::of(last).to_string()).await?),
            _ => None,
        };
        Ok(Page { letters, next })
    }
}

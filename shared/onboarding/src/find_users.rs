//! Reading people: one through the cache, many by page, and the history of one.

use api::cursor::{self, Signer};
use cache::Cache;
use contracts::{CorrelationId, EmployeeId, EventId, EventType, Warning};
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    breakers::Reads,
    change::Change,
    entry::{Entry, Step},
    store::{self, Filter, Store},
};

#[derive(Debug, Clone)]
pub struct FindUsers {
    store: Store,
    reads: Reads,
    cache: Cache,
    signer: Signer,
}

/// Items as JSON, each as it is sent.
#[derive(Debug)]
pub struct Page {
    pub items: Vec<String>,
    /// Continues after this page; `None` at the end.
    pub next: Option<String>,
}

/// What one event changed.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HistoryItem {
    pub event_id: EventId,
    pub event_type: EventType,
    /// Of the request that brought it.
    pub correlation_id: CorrelationId,
    /// When it happened, if the HR system said so.
    pub occurred_at: Option<Timestamp>,
    pub received_at: Timestamp,
    pub applied_at: Timestamp,
    /// The person's, once it was applied.
    pub version: u64,
    /// Empty where everything was known, or something newer said otherwise.
    pub changes: Vec<Change>,
    /// What it changed when it came again: with Okta's part that it had waited for, or corrected by a person.
    pub later: Vec<Step>,
    /// What was sent and could not be read.
    pub warnings: Vec<Warning>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Cursor(#[from] cursor::Error),
    #[error("the users could not be read")]
    Store(#[from] store::Error),
}

/// The bytes of a page. Lambda takes 6 MB of an answer, in which each quote and backslash of ours is escaped once more.
const PAGE_BYTES: usize = 2_900_000;

impl FindUsers {
    pub fn new(store: Store, reads: Reads, cache: Cache, signer: Signer) -> Self {
        Self { store, reads, cache, signer }
    }

    /// The user's JSON, as it is sent: what comes from the cache is not parsed again.
    pub async fn get(&self, id: &EmployeeId) -> Result<Option<String>, store::Error> {
        let key = cache_key(id);
        if let Some(json) = self.cache.get(&key).await {
            return Ok(Some(json));
        }
        let user = self.reads.read(self.store.person(id)).await?.and_then(|person| person.user());
        let Some(user) = user else { return Ok(None) };
        let json = json(&user);
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
        let people = self.reads.read(self.store.list(filter, after.as_ref(), limit + 1)).await?;
        let users = people.iter().filter_map(crate::Person::user);
        self.page(&query, users.map(|user| (user.id.to_string(), json(&user))), limit).await
    }

    /// What changed and by which event, the newest first. `None` for somebody who is not there.
    pub async fn history(
        &self,
        id: &EmployeeId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Option<Page>, Error> {
        let query = serde_json::json!(["history", id]).to_string();
        let before = match cursor {
            Some(cursor) => {
                let sequence = self.signer.open(&query, cursor).await?;
                Some(sequence.parse().map_err(|_| cursor::Error::Invalid)?)
            }
            None => None,
        };
        let both =
            async { tokio::try_join!(self.store.person(id), self.store.history(id, before, limit + 1)) };
        let (person, entries) = Box::pin(self.reads.read(both)).await?;
        let Some(person) = person.filter(|person| person.user().is_some()) else { return Ok(None) };
        // What is older than the command to forget them is on its way out.
        let forgotten = person.forgotten.as_ref().map(|forgotten| forgotten.received_at);
        let entries = entries.into_iter().filter(|entry| forgotten.is_none_or(|at| entry.received_at > at));
        let items = entries.map(|entry| {
            let sequence = entry.sequence.unwrap_or_default();
            (sequence.to_string(), json(&HistoryItem::from(entry)))
        });
        self.page(&query, items, limit).await.map(Some)
    }

    /// Of items with their positions, as many as fit: one at least, and no more than `limit`.
    async fn page(
        &self,
        query: &str,
        items: impl Iterator<Item = (String, String)>,
        limit: usize,
    ) -> Result<Page, Error> {
        let mut page = Page { items: Vec::new(), next: None };
        let (mut bytes, mut last) = (0, String::new());
        for (position, json) in items {
            bytes += json.len() + 1;
            if page.items.len() == limit || (bytes > PAGE_BYTES && !page.items.is_empty()) {
                page.next = Some(self.signer.seal(query, &last).await?);
                break;
            }
            page.items.push(json);
            last = position;
        }
        Ok(page)
    }
}

impl From<Entry> for HistoryItem {
    fn from(entry: Entry) -> Self {
        Self {
            event_id: entry.event_id,
            event_type: entry.event_type,
            correlation_id: entry.correlation_id,
            occurred_at: entry.occurred_at,
            received_at: entry.received_at,
            applied_at: entry.applied_at,
            version: entry.version,
            changes: entry.changes,
            later: entry.later,
            warnings: entry.warnings,
        }
    }
}

fn json(item: &impl Serialize) -> String {
    serde_json::to_string(item).expect("what is sent has string keys")
}

/// The enrichment invalidates what the query fills.
pub(crate) fn cache_key(id: &EmployeeId) -> String {
    format!("user:{id}")
}

#[cfg(test)]
mod tests {
    use aws::Aws;
    use contracts::{Field, Text};
    use runtime::{Clock, Vars};

    use super::*;
    use crate::{
        Person,
        store::Memory,
        tests::{event, made_of, with},
    };

    fn find() -> FindUsers {
        let vars = Vars::from_iter(aws::EMULATED)
            .with("CURSOR_KEY", "a-key-that-is-long-enough-for-the-cursors-of-a-test");
        let aws = Aws::from_vars(&vars).unwrap();
        let cache = Cache::from_vars(&vars, &aws).unwrap();
        FindUsers::new(
            Store::Memory(Memory::default()),
            Reads::from_vars(&vars, cache.clone(), Clock::system()).unwrap(),
            cache,
            Signer::from_vars(&vars, &aws).unwrap(),
        )
    }

    async fn stored(find: &FindUsers, id: &str) -> Person {
        let mut event = event();
        event.employee_id = EmployeeId::parse(id).unwrap();
        let written = made_of(&event, None, None);
        find.store.commit(&written.person, None, Some(&written.entry)).await.unwrap();
        written.person
    }

    #[tokio::test]
    async fn a_user_is_read_from_the_cache_until_it_is_invalidated() {
        let find = find();
        let (mut ada, bob) = (stored(&find, "E1").await, stored(&find, "E2").await);
        let got = async |of: &Person| find.get(&of.id).await.unwrap();
        let (before, other) = (got(&ada).await.unwrap(), got(&bob).await.unwrap());
        assert_eq!(before, json(&ada.user()));
        assert_eq!(other, json(&bob.user()));
        let read = ada.clone();
        (ada.version, ada.writes) = (ada.version + 1, ada.writes + 1);
        find.store.commit(&ada, Some(&read), None).await.unwrap();
        assert_eq!(got(&ada).await, Some(before));
        find.cache.invalidate(&cache_key(&ada.id)).await;
        assert_eq!(got(&ada).await, Some(json(&ada.user())));
        assert_eq!(find.get(&EmployeeId::parse("E3").unwrap()).await.unwrap(), None);
    }

    #[tokio::test]
    async fn while_the_store_is_away_the_cache_is_served_and_the_rest_is_away_at_once() {
        let find = find();
        let (ada, bob) = (stored(&find, "E1").await, stored(&find, "E2").await);
        let read = find.get(&ada.id).await.unwrap();
        for _ in 0..5 {
            let away = async { Err::<(), _>(store::Error::Unavailable("the table is away".into())) };
            find.reads.read(away).await.unwrap_err();
        }
        assert_eq!(find.get(&ada.id).await.unwrap(), read);
        assert!(matches!(find.get(&bob.id).await, Err(store::Error::Unavailable(_))));
        assert!(matches!(
            find.list(&Filter::default(), None, 1).await,
            Err(Error::Store(store::Error::Unavailable(_)))
        ));
        assert!(find.history(&ada.id, None, 1).await.is_err());
    }

    fn ids(page: &Page) -> Vec<String> {
        let id = |json: &String| serde_json::from_str::<serde_json::Value>(json).unwrap()["id"].clone();
        page.items.iter().map(|json| id(json).as_str().unwrap().to_owned()).collect()
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
                pages.push(ids(&page));
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(pages, expected);
        }
    }

    #[tokio::test]
    async fn a_page_is_no_longer_than_lambda_can_answer_and_has_one_item_at_least() {
        let find = find();
        let huge = |bytes: usize| (0..).map(move |number| (number.to_string(), "x".repeat(bytes)));
        for (bytes, expected) in [(PAGE_BYTES / 3 - 1, 3), (PAGE_BYTES / 2, 1), (2 * PAGE_BYTES, 1), (10, 50)]
        {
            let page = find.page("query", huge(bytes), 50).await.unwrap();
            assert_eq!((page.items.len(), page.next.is_some()), (expected, true), "{bytes}");
        }
    }

    #[tokio::test]
    async fn a_cursor_is_good_for_its_own_filter_only() {
        let find = find();
        for id in ["E1", "E2"] {
            stored(&find, id).await;
        }
        let page = find.list(&Filter::default(), None, 1).await.unwrap();
        let other = Filter { department: Some(Text::parse("Engines").unwrap()), email: None };
        let refused = find.list(&other, page.next.as_deref(), 1).await;
        assert!(matches!(refused, Err(Error::Cursor(cursor::Error::Invalid))), "{refused:?}");
    }

    #[tokio::test]
    async fn the_history_tells_what_each_event_changed_the_newest_first() {
        let find = find();
        let hired = stored(&find, "E1").await;
        let mut moved = with(event(), Field::Title, "Engineer");
        moved.event_id = EventId::parse("evt-2").unwrap();
        moved.occurred_at = None;
        let moved = made_of(&moved, Some(&hired), None);
        find.store.commit(&moved.person, Some(&hired), Some(&moved.entry)).await.unwrap();
        let first = find.history(&hired.id, None, 1).await.unwrap().unwrap();
        let item: serde_json::Value = serde_json::from_str(&first.items[0]).unwrap();
        assert_eq!((&item["event_id"], &item["version"]), (&"evt-2".into(), &2.into()));
        let title = serde_json::json!([{"field": "title", "old": null, "new": "Engineer"}]);
        assert_eq!(item["changes"], title);
        let rest = find.history(&hired.id, first.next.as_deref(), 5).await.unwrap().unwrap();
        assert_eq!((rest.items.len(), rest.next), (1, None));
        assert!(rest.items[0].contains("evt-1"));
        assert!(find.history(&EmployeeId::parse("E9").unwrap(), None, 5).await.unwrap().is_none());
    }
}

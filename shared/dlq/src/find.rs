use api::cursor::{self, Page, Signer};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    Error,
    audit::AuditRecord,
    filter::Filter,
    fingerprint::Fingerprint,
    group::{Counts, Group},
    job::Job,
    letter::{DeadLetter, LetterId},
    payload::Payload,
    store::{Listed, Part, Position, Store},
};

/// Groups that are counted at once.
const CONCURRENCY: usize = 8;

/// Reads to count each group of a page, and one alone: a page of a hundred groups, or a group of fifty thousand letters,
/// has to be answered within 30 s. A partition has 3,000 read units a second, and 1 MB takes 128 of them.
const READS_AMONG_OTHERS: usize = 4;
const READS_ALONE: usize = 50;

/// Shows dead letters, and what was done to them.
#[derive(Debug, Clone)]
pub struct Find {
    store: Store,
    signer: Signer,
}

impl Find {
    pub fn new(store: Store, signer: Signer) -> Self {
        Self { store, signer }
    }

    /// Whether the table answers.
    pub async fn ping(&self) -> Result<(), dynamo::Error> {
        self.store.ping().await
    }

    pub async fn letter(&self, id: &LetterId) -> Result<DeadLetter, Error> {
        self.store.get(id).await?.ok_or(Error::Unknown)
    }

    /// What a redrive of the letter would send. `None` when it is gone: it expires before its letter, which is over.
    pub async fn payload(&self, id: &LetterId) -> Result<Option<Payload>, Error> {
        Ok(self.store.payload(id, Part::Current).await?)
    }

    /// What had failed, where a person has edited it since.
    pub async fn original(&self, id: &LetterId) -> Result<Option<Payload>, Error> {
        Ok(self.store.payload(id, Part::Original).await?)
    }

    /// The newest first. A page may be short, or empty, and have a next one: of letters that few share, many have to be
    /// read.
    pub async fn letters(
        &self,
        filter: &Filter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<DeadLetter>, Error> {
        let query = filter.canonical();
        let after = match self.signer.position(&query, cursor).await? {
            Some(position) => Some(Position::parse(&position).ok_or(cursor::Error::Invalid)?),
            None => None,
        };
        let Listed { letters, next } = self.store.list(filter, after.as_ref(), limit).await?;
        let next = match next {
            Some(position) => Some(self.signer.seal(&query, &position.to_string()).await?),
            None => None,
        };
        Ok(Page { items: letters, next })
    }

    /// With how many letters there are in which state, as far as they could be counted.
    pub async fn groups(&self, cursor: Option<&str>, limit: usize) -> Result<Page<(Group, Counts)>, Error> {
        let after = self.signer.position("groups", cursor).await?;
        let rows = self.store.groups(after.as_deref(), limit + 1).await?;
        let page = self.signer.page("groups", rows, limit, |row| row.at.clone()).await?;
        let items = stream::iter(page.items)
            .map(|row| self.counted(row.content, READS_AMONG_OTHERS))
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        Ok(Page { items, next: page.next })
    }

    pub async fn group(&self, fingerprint: &Fingerprint) -> Result<(Group, Counts), Error> {
        let group = self.store.group(fingerprint).await?.ok_or(Error::Unknown)?;
        self.counted(group, READS_ALONE).await
    }

    async fn counted(&self, group: Group, max_reads: usize) -> Result<(Group, Counts), Error> {
        let counts = self.store.counts(&group.fingerprint, max_reads).await?;
        Ok((group, counts))
    }

    pub async fn job(&self, id: &str) -> Result<Job, Error> {
        self.store.jobs().get(id).await?.ok_or(Error::Unknown)
    }

    pub async fn jobs(&self, cursor: Option<&str>, limit: usize) -> Result<Page<Job>, Error> {
        Ok(self.store.jobs().page(&self.signer, "jobs", cursor, limit).await?)
    }

    pub async fn audit(&self, cursor: Option<&str>, limit: usize) -> Result<Page<AuditRecord>, Error> {
        let after = self.signer.position("audit", cursor).await?;
        let rows = self.store.audit(after.as_deref(), limit + 1).await?;
        Ok(self.signer.page("audit", rows, limit, |row| row.at.clone()).await?.map(|row| row.content))
    }
}

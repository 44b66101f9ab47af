//! What happens to a batch until every record of it is processed or given up. The rules are Lambda's:
//! <https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html>.

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use runtime::record::Record;

use super::{answer::Answer, on_failure::Condition};
use crate::template::Trigger;

/// Where a batch goes and what time it is: a poller, or a test's script.
pub(super) trait Surroundings {
    async fn invoke(&self, records: &[Record]) -> Answer;
    /// Brings the record to the on-failure destination. `false` means that the process is to end before it is there.
    async fn give_up(&self, record: &Record, condition: Condition, invocations: u32) -> bool;
    /// Waits before the next attempt. `false` means that the process is to end, and nothing more is tried.
    async fn pause(&self, wait: Duration) -> bool;
    /// Milliseconds since 1970.
    fn now(&self) -> i64;
}

/// A part of a batch, and how often a function was invoked with it.
struct Part {
    records: Vec<Record>,
    invocations: u32,
}

/// `false` if the process is to end before everything is processed.
pub(super) async fn deliver(batch: Vec<Record>, rules: &Trigger, around: &impl Surroundings) -> bool {
    let mut parts = VecDeque::from([Part { records: batch, invocations: 0 }]);
    while let Some(mut part) = parts.pop_front() {
        let Some(fresh) = drop_expired(part.records, part.invocations, rules, around).await else {
            return false;
        };
        part.records = fresh;
        if part.records.is_empty() {
            continue;
        }
        let answer = around.invoke(&part.records).await;
        part.invocations += 1;
        if rules.bisect && matches!(answer, Answer::Error) && part.records.len() > 1 {
            // Splitting is no retry: it only finds out which half is to blame.
            let later = part.records.split_off(part.records.len() / 2);
            let invocations = part.invocations - 1;
            parts.push_front(Part { records: later, invocations });
            parts.push_front(Part { records: part.records, invocations });
            continue;
        }
        part.records = failed_records(part.records, &answer);
        if part.records.is_empty() {
            continue;
        }
        if rules.retries.is_some_and(|retries| part.invocations > retries) {
            for record in &part.records {
                if !around.give_up(record, Condition::RetriesExhausted, part.invocations).await {
                    return false;
                }
            }
        } else {
            if !around.pause(backoff(part.invocations)).await {
                return false;
            }
            parts.push_front(part);
        }
    }
    true
}

/// `None` if the process is to end.
async fn drop_expired(
    records: Vec<Record>,
    invocations: u32,
    rules: &Trigger,
    around: &impl Surroundings,
) -> Option<Vec<Record>> {
    let Some(max_age) = rules.max_age else { return Some(records) };
    let oldest = around.now().saturating_sub(i64::try_from(max_age.as_millis()).unwrap_or(i64::MAX));
    let mut fresh = Vec::with_capacity(records.len());
    for record in records {
        if record.timestamp >= oldest {
            fresh.push(record);
        } else if !around.give_up(&record, Condition::RecordAgeExceeded, invocations).await {
            return None;
        }
    }
    Some(fresh)
}

/// The records to try again. An identifier that was not in the batch makes the whole batch failed.
fn failed_records(records: Vec<Record>, answer: &Answer) -> Vec<Record> {
    let Answer::Failed(identifiers) = answer else { return records };
    let failed: HashSet<_> = identifiers.iter().collect();
    let known: HashSet<_> = records.iter().map(Record::identifier).collect();
    if failed.iter().any(|identifier| !known.contains(identifier)) {
        return records;
    }
    records.into_iter().filter(|record| failed.contains(&record.identifier())).collect()
}

/// 0.2 s, doubling, to 10 s.
pub(super) fn backoff(invocations: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(invocations.saturating_sub(1));
    Duration::from_millis(200).saturating_mul(doubled).min(Duration::from_secs(10))
}

#[cfg(test)]
mod tests;

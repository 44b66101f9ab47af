use contracts::{EnrichmentRequestedV1, EventId};

use crate::user::LastEvent;

/// Enough to recognise an HR system's repeats, which come within minutes; the times sort out older ones.
const REMEMBERED: usize = 32;

/// What to do with an event, given the newest one that was applied to its person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Apply,
    /// It was applied before.
    Duplicate,
    /// Something that happened later was applied already.
    Superseded,
}

pub(crate) fn decide(last: Option<&LastEvent>, event: &EnrichmentRequestedV1) -> Decision {
    let Some(last) = last else { return Decision::Apply };
    if last.recent.contains(&event.event_id) {
        return Decision::Duplicate;
    }
    // HR systems tell time by the second or not at all: what occurred at one instant counts as it was received.
    if (event.occurred_at, event.received_at) >= (last.occurred_at, last.received_at) {
        Decision::Apply
    } else {
        Decision::Superseded
    }
}

/// The newest event, once `event` has been applied after `last`.
pub(crate) fn advance(last: Option<&LastEvent>, event: &EnrichmentRequestedV1) -> LastEvent {
    let earlier: &[EventId] = last.map_or(&[], |last| &last.recent);
    let kept = earlier.len().saturating_sub(REMEMBERED - 1);
    let recent = earlier[kept..].iter().chain([&event.event_id]).cloned().collect();
    LastEvent { occurred_at: event.occurred_at, received_at: event.received_at, recent }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::merge::tests::event;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn nth(id: usize, occurred: i64, received: i64) -> EnrichmentRequestedV1 {
        let mut event = event();
        event.event_id = EventId::parse(format!("evt-{id}")).unwrap();
        (event.occurred_at, event.received_at) = (at(occurred), at(received));
        event
    }

    /// Applies events as the enrichment does; returns those that were applied.
    fn apply_all(events: &[EnrichmentRequestedV1]) -> (Vec<&EnrichmentRequestedV1>, Option<LastEvent>) {
        let (mut applied, mut last) = (Vec::new(), None);
        for event in events {
            if decide(last.as_ref(), event) == Decision::Apply {
                last = Some(advance(last.as_ref(), event));
                applied.push(event);
            }
        }
        (applied, last)
    }

    #[test]
    fn an_older_event_never_overwrites_a_newer_one() {
        let last = advance(None, &nth(1, 10, 10));
        assert_eq!(decide(Some(&last), &nth(2, 9, 11)), Decision::Superseded);
        assert_eq!(decide(Some(&last), &nth(2, 11, 11)), Decision::Apply);
    }

    #[test]
    fn events_of_one_instant_apply_as_they_were_received() {
        let last = advance(None, &nth(1, 10, 20));
        assert_eq!(decide(Some(&last), &nth(2, 10, 21)), Decision::Apply);
        assert_eq!(decide(Some(&last), &nth(2, 10, 19)), Decision::Superseded);
    }

    #[test]
    fn a_repeat_that_was_received_later_is_still_a_duplicate() {
        let first = advance(None, &nth(1, 10, 10));
        let second = advance(Some(&first), &nth(2, 12, 12));
        assert_eq!(decide(Some(&second), &nth(1, 15, 15)), Decision::Duplicate);
    }

    proptest! {
        #[test]
        fn whatever_the_order_of_arrival_the_newest_event_wins_and_none_is_applied_twice(
            plan in vec((0..8_usize, 0..20_i64), 1..30),
        ) {
            // Events with one id are one event: they occurred at one time.
            let events: Vec<_> = plan.iter().enumerate()
                .map(|(arrival, (id, _))| nth(*id, plan[*id % plan.len()].1, i64::try_from(arrival).unwrap()))
                .collect();
            let (applied, last) = apply_all(&events);
            let newest = events.iter().map(|event| event.occurred_at).max().unwrap();
            prop_assert_eq!(last.unwrap().occurred_at, newest);
            prop_assert!(applied.is_sorted_by_key(|event| event.occurred_at), "an older one came after a newer one");
            let mut ids: Vec<_> = applied.iter().map(|event| event.event_id.as_str()).collect();
            ids.sort_unstable();
            prop_assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "an event was applied twice");
        }

        #[test]
        fn the_memory_of_events_is_bounded_and_ends_with_the_newest(count in 1..100_usize) {
            let last = (0..count).fold(None, |last, id| Some(advance(last.as_ref(), &nth(id, 1, 1)))).unwrap();
            prop_assert_eq!(last.recent.len(), count.min(REMEMBERED));
            let newest = format!("evt-{}", count - 1);
            prop_assert_eq!(last.recent.last().unwrap().as_str(), newest);
        }
    }
}

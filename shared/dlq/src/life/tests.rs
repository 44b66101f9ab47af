use std::collections::{HashSet, VecDeque};

use proptest::{collection::vec, prelude::*};

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

const NONE: Jitter = Jitter(0);

fn parked() -> Life {
    Life::begin(false, at(0), NONE)
}

fn scheduled() -> Life {
    Life::begin(true, at(0), NONE)
}

/// Does the steps, one a second; each has to be allowed.
fn lived(life: Life, steps: &[Step]) -> Life {
    let second = |n: usize| at(i64::try_from(n).unwrap());
    steps.iter().enumerate().fold(life, |life, (n, step)| life.after(*step, second(n), NONE).unwrap())
}

fn fails_again(redrive: u32) -> Step {
    Step::Returned { redrive, retriable: true }
}

#[test]
fn a_state_is_known_by_its_name() {
    for &state in LetterState::ALL {
        assert_eq!(LetterState::parse(state.name()), Some(state));
        assert_eq!(serde_json::to_value(state).unwrap(), state.name());
    }
    assert_eq!(LetterState::parse("Parked"), None);
}

#[test]
fn a_transient_failure_is_redriven_five_times_by_itself_and_then_waits_for_a_person() {
    let (mut life, mut now, mut waits) = (scheduled(), at(0), Vec::new());
    while life.state == LetterState::Scheduled {
        let due = life.due_at.unwrap();
        waits.push(due.duration_since(now).as_mins());
        assert!(waits.len() <= 5, "{waits:?}");
        now = due;
        life = life.after(Step::RedriveBySchedule, now, NONE).unwrap();
        life = life.after(Step::Published, now, NONE).unwrap();
        life = life.after(fails_again(life.redrives), now, NONE).unwrap();
    }
    assert_eq!(waits, [1, 5, 30, 120, 720]);
    assert_eq!((life.state, life.redrives, life.due_at), (LetterState::Quarantined, 5, None));
    let by_hand = lived(life, &[Step::Redrive, Step::Published, fails_again(6)]);
    assert_eq!(
        (by_hand.state, by_hand.automatic),
        (LetterState::Scheduled, 0),
        "a person starts the schedule anew"
    );
}

#[test]
fn a_number_that_somebody_made_up_overflows_nothing() {
    let life = lived(scheduled(), &[Step::RedriveBySchedule, fails_again(u32::MAX)]);
    assert_eq!((life.state, life.redrives), (LetterState::Scheduled, u32::MAX));
    assert_eq!(lived(life, &[Step::RedriveBySchedule, Step::Redrive]).redrives, u32::MAX);
}

#[test]
fn a_wait_is_spread_by_a_fifth_either_way() {
    let minute = |bytes| Jitter::from_bytes(bytes).of(SignedDuration::from_mins(1)).as_secs();
    assert_eq!((minute([0, 0]), minute([0, 200]), minute([1, 144])), (48, 60, 72));
    for bytes in 0..=u16::MAX {
        assert!((48..=72).contains(&minute(bytes.to_be_bytes())));
    }
}

#[test]
fn a_redrive_that_comes_back_twice_is_counted_once() {
    let once = lived(scheduled(), &[Step::RedriveBySchedule, Step::Published, fails_again(1)]);
    assert_eq!(once.after(fails_again(1), at(99), NONE), Ok(once));
}

#[test]
fn a_redrive_that_comes_back_before_it_was_confirmed_is_not_lost() {
    let back = lived(scheduled(), &[Step::RedriveBySchedule, fails_again(1)]);
    assert_eq!((back.state, back.automatic), (LetterState::Scheduled, 1));
    assert_eq!(back.after(Step::Published, at(9), NONE), Ok(back));
}

#[test]
fn an_older_copy_that_comes_back_does_not_stop_the_newer_one() {
    let twice = lived(parked(), &[Step::Redrive, Step::Published, Step::Redrive, Step::Published]);
    let older = twice.after(fails_again(1), at(9), NONE).unwrap();
    assert_eq!((older.state, older.due_at), (LetterState::Redriven, twice.due_at));
    assert_eq!(older.after(fails_again(2), at(10), NONE).unwrap().state, LetterState::Scheduled);
}

#[test]
fn a_redrive_that_nobody_confirmed_is_published_again_and_then_its_outcome_checked() {
    let sent = lived(parked(), &[Step::Redrive]);
    assert_eq!(sent.due(), Due::Republish);
    let confirmed = lived(sent, &[Step::Published]);
    assert_eq!(confirmed.due(), Due::CheckOutcome);
    assert_eq!(confirmed.after(Step::Republish, at(9), NONE).unwrap_err().verb, "published again");
}

#[test]
fn a_redrive_without_an_outcome_is_quarantined_in_the_end() {
    let mut life = lived(parked(), &[Step::Redrive, Step::Published]);
    let (mut looks, mut now) = (0, at(0));
    while life.state == LetterState::Redriven {
        now = life.due_at.unwrap();
        life = life.after(Step::OutcomePending, now, NONE).unwrap();
        looks += 1;
        assert!(looks < 250, "{life:?}");
    }
    assert_eq!(life.state, LetterState::Quarantined);
    assert_eq!(now.duration_since(at(0)).as_hours() / 24, 8);
}

#[test]
fn a_redrive_that_the_brokers_never_acknowledge_is_published_ever_more_seldom_and_quarantined_in_the_end() {
    let mut life = lived(parked(), &[Step::Redrive]);
    let (mut sent, mut now) = (1, at(0));
    while life.state == LetterState::Redriven {
        assert_eq!(life.due(), Due::Republish);
        now = life.due_at.unwrap();
        life = life.after(Step::Republish, now, NONE).unwrap();
        sent += 1;
        assert!(sent < 250, "{life:?}");
    }
    assert_eq!(life.state, LetterState::Quarantined);
    assert_eq!(now.duration_since(at(0)).as_hours() / 24, 8);
}

#[test]
fn what_is_resolved_stays_so() {
    let over = lived(parked(), &[Step::Redrive, Step::Published, Step::Resolve]);
    for step in [
        Step::Redrive,
        Step::RedriveBySchedule,
        Step::Republish,
        Step::Quarantine,
        Step::Resolve,
        Step::OutcomePending,
        Step::Discard,
    ] {
        assert_eq!(over.after(step, at(9), NONE).unwrap_err().state, LetterState::Resolved);
    }
    assert_eq!(over.after(fails_again(1), at(9), NONE).unwrap().state, LetterState::Resolved);
}

#[test]
fn a_discard_can_be_regretted_and_what_was_on_its_way_does_not_undo_it() {
    let discarded = lived(parked(), &[Step::Redrive, Step::Discard]);
    assert_eq!(discarded.after(fails_again(1), at(9), NONE).unwrap().state, LetterState::Discarded);
    assert_eq!(lived(discarded, &[Step::Redrive]).state, LetterState::Redriven);
}

#[test]
fn the_payload_of_what_is_over_expires_unless_it_is_redriven() {
    let discarded = lived(parked(), &[Step::Discard]);
    assert_eq!((discarded.due(), discarded.expiring), (Due::Expire, true));
    let ended = lived(discarded, &[Step::Expired]);
    assert_eq!((ended.due(), ended.state), (Due::Nothing, LetterState::Discarded));
    let again = lived(ended, &[Step::Redrive]);
    assert!(again.expiring, "it has yet to be taken back");
    assert!(!lived(again, &[Step::Published]).expiring);
}

#[test]
fn a_copy_that_comes_back_when_none_was_away_is_only_noted() {
    let noted = parked().after(fails_again(3), at(1), NONE).unwrap();
    assert_eq!((noted.state, noted.returned, noted.due_at), (LetterState::Parked, 3, None));
    assert_eq!(noted.after(fails_again(3), at(2), NONE), Ok(noted));
    assert_eq!(lived(noted, &[Step::Redrive]).redrives, 4, "a number is not given twice");
}

#[test]
fn a_redrive_is_published_again_although_the_one_before_it_was_confirmed() {
    let again = lived(parked(), &[Step::Redrive, Step::Published, Step::Redrive]);
    assert_eq!(again.due(), Due::Republish);
}

#[test]
fn whatever_was_published_is_looked_at_a_minute_later() {
    let minute_after = |second: i64| Some(at(second + 60));
    let sent = parked().after(Step::Redrive, at(10), NONE).unwrap();
    let sent_again = sent.after(Step::Republish, at(20), NONE).unwrap();
    let published = sent_again.after(Step::Published, at(30), NONE).unwrap();
    assert_eq!(
        [sent, sent_again, published].map(|life| life.due_at),
        [minute_after(10), minute_after(20), minute_after(30)]
    );
}

#[test]
fn the_longer_a_redrive_is_away_the_rarer_the_looks_but_one_an_hour() {
    let away = lived(parked(), &[Step::Redrive, Step::Published]);
    for (seconds, next) in [(1, 60), (60, 60), (61, 61), (3_000, 3_000), (90_000, 3_600)] {
        let looked = away.after(Step::OutcomePending, at(seconds), NONE).unwrap();
        assert_eq!(looked.due_at, Some(at(seconds + next)), "after {seconds} s");
    }
}

const STEPS: [Step; 12] = [
    Step::Redrive,
    Step::RedriveBySchedule,
    Step::Republish,
    Step::Published,
    Step::Quarantine,
    Step::Resolve,
    Step::OutcomePending,
    Step::Expired,
    Step::Returned { redrive: 0, retriable: true },
    Step::Returned { redrive: 0, retriable: false },
    Step::Returned { redrive: 1, retriable: true },
    Step::Discard,
];

/// `Returned` counts back from the newest redrive: the world knows of no later one.
fn from_here(step: Step, life: Life) -> Option<Step> {
    match step {
        Step::Returned { redrive: back, retriable } => {
            let redrive = life.redrives.checked_sub(back).filter(|redrive| *redrive > 0)?;
            Some(Step::Returned { redrive, retriable })
        }
        other => Some(other),
    }
}

/// What holds for every letter, however it got there.
fn obeys_the_rules(life: Life) {
    let goes_on = matches!(life.state, LetterState::Scheduled | LetterState::Redriven);
    assert!(
        life.due_at.is_some() == goes_on || life.state.is_over(),
        "{life:?}: it goes on by itself, waits for a person, or is over"
    );
    assert_eq!(life.due() == Due::Nothing, life.due_at.is_none(), "{life:?}");
    let (waits, is_over) = (life.state.is_waiting(), life.state.is_over());
    let away = life.state == LetterState::Redriven;
    assert_eq!(u8::from(waits) + u8::from(away) + u8::from(is_over), 1, "{life:?}: it is one of the three");
    assert!(!life.state.is_over() || life.expiring, "{life:?}: what is over doesn't keep its payload");
    assert!(life.returned <= life.redrives, "{life:?}: nothing returns that was not sent");
    assert!(life.automatic <= 5, "{life:?}: redriven by itself five times at most");
    assert!(life.automatic <= life.redrives, "{life:?}");
}

fn obeys_the_rules_of_a_step(before: Life, step: Step, after: Life) {
    assert!(after.redrives >= before.redrives && after.returned >= before.returned, "{before:?} {step:?}");
    if before.state == LetterState::Resolved {
        assert_eq!(after.state, LetterState::Resolved, "{step:?}: there is no way out");
    }
    if before.state == LetterState::Discarded && after.state != LetterState::Discarded {
        assert_eq!(step, Step::Redrive, "only a person takes it up again");
    }
    let sent = after.redrives > before.redrives;
    assert_eq!(sent, matches!(step, Step::Redrive | Step::RedriveBySchedule), "{before:?} {step:?}");
    if after.state == LetterState::Resolved && before.state != LetterState::Resolved {
        assert_eq!((step, before.state), (Step::Resolve, LetterState::Redriven));
    }
}

#[test]
fn every_state_that_can_be_reached_obeys_the_rules() {
    const MAX_REDRIVES: u32 = 9;
    let (mut seen, mut queue) = (HashSet::new(), VecDeque::from([parked(), scheduled()]));
    while let Some(life) = queue.pop_front() {
        // Times differ along every way and decide nothing but silence, which has its own test.
        if life.redrives > MAX_REDRIVES || !seen.insert(Life { redriven_at: None, ..life }) {
            continue;
        }
        obeys_the_rules(life);
        for step in STEPS.into_iter().filter_map(|step| from_here(step, life)) {
            if let Ok(after) = life.after(step, at(0), NONE) {
                obeys_the_rules_of_a_step(life, step, after);
                queue.push_back(after);
            }
        }
    }
    let reached: HashSet<_> = seen.iter().map(|life| life.state).collect();
    assert_eq!(reached.len(), LetterState::ALL.len(), "every state has a way to it");
    // From anywhere but the end a person gets it redriven, and a redriven one resolved.
    for life in seen.into_iter().filter(|life| life.state != LetterState::Resolved) {
        assert_eq!(lived(life, &[Step::Redrive, Step::Resolve]).state, LetterState::Resolved);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn no_order_of_steps_breaks_the_rules(
        transient: bool,
        plan in vec((0..STEPS.len(), 0..200_000_i64, any::<[u8; 2]>()), 0..60),
    ) {
        let (mut life, mut now) = (Life::begin(transient, at(0), NONE), at(0));
        for (step, seconds, jitter) in plan {
            now += SignedDuration::from_secs(seconds);
            let Some(step) = from_here(STEPS[step], life) else { continue };
            if let Ok(after) = life.after(step, now, Jitter::from_bytes(jitter)) {
                obeys_the_rules(after);
                obeys_the_rules_of_a_step(life, step, after);
                prop_assert!(after.due_at == life.due_at || after.due_at.is_none_or(|due| due >= now));
                life = after;
            }
        }
    }
}

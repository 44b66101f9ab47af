//! What goes wrong, when, and for how long: drawn from the seed, as cards of a deck that has one of each kind.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use fastrand::Rng;
use okta::fake::{Directory, Fault as OktaFault};
use real_parts::{Kafka, Redis};
use tokio::{sync::watch, task::JoinSet, time::sleep};

use crate::{
    fleet::Fleet,
    tables::{Fault as TableFault, Tables, Weather},
    tally::Tally,
};

/// The share of the tables' answers that is wrong all the time.
const USUAL: f64 = 0.005;

/// Between two decks: a group needs it to find together after its broker was gone, and what follows should meet work.
const BREATH: Duration = Duration::from_secs(15);

/// More of them in a deck, and nothing would be finished between two.
const WORKERS_KILLED: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Card {
    KillWorker(usize),
    /// Between its death and its restart.
    KillBroker(Duration),
    KillCache(Duration),
    /// This share of the tables' answers, for as long.
    Tables(TableFault, f64, Duration),
    /// So many of Okta's next answers, as far as it is asked within the time: a breaker may leave it alone.
    Okta(OktaFault, usize, Duration),
}

pub(crate) struct Faults {
    pub(crate) fleet: Fleet,
    pub(crate) tables: Tables,
    pub(crate) directory: Directory,
    pub(crate) kafka: Arc<Mutex<Kafka>>,
    pub(crate) redis: Arc<Mutex<Redis>>,
    pub(crate) tally: Tally,
    /// How often the whole deck was played.
    pub(crate) decks: AtomicUsize,
}

impl Faults {
    /// Injects one fault after another until it is told to stop, then ends them all.
    pub(crate) async fn inject(&self, seed: u64, mut stop: watch::Receiver<bool>) -> anyhow::Result<()> {
        let mut random = Rng::with_seed(seed);
        self.tables.set_weather(|weather| weather.usual = USUAL);
        self.fleet.set_troubled(true);
        let mut under_way = JoinSet::new();
        'decks: loop {
            for (pause, card) in deck(&mut random) {
                if is_over(pause, &mut stop).await {
                    break 'decks;
                }
                self.play(card, &mut under_way);
            }
            self.decks.fetch_add(1, SeqCst);
            if is_over(BREATH, &mut stop).await {
                break;
            }
        }
        while let Some(ended) = under_way.join_next().await {
            ended??;
        }
        self.tables.set_weather(|weather| *weather = Weather::CALM);
        Ok(())
    }

    /// What lasts goes on by itself, so that faults meet.
    fn play(&self, card: Card, under_way: &mut JoinSet<anyhow::Result<()>>) {
        match card {
            Card::KillWorker(number) => self.fleet.kill(number),
            Card::KillBroker(pause) => {
                self.tally.count("broker: killed");
                let kafka = Arc::clone(&self.kafka);
                under_way.spawn_blocking(move || {
                    let mut kafka = kafka.lock().expect("no holder of this lock panics");
                    kafka.kill();
                    std::thread::sleep(pause);
                    kafka.restart()
                });
            }
            Card::KillCache(pause) => {
                self.tally.count("cache: killed");
                let redis = Arc::clone(&self.redis);
                under_way.spawn_blocking(move || {
                    let mut redis = redis.lock().expect("no holder of this lock panics");
                    redis.kill();
                    std::thread::sleep(pause);
                    redis.restart()
                });
            }
            Card::Tables(fault, share, length) => {
                let tables = self.tables.clone();
                under_way.spawn(async move {
                    tables.set_weather(|weather| weather.storm = Some((fault, share)));
                    sleep(length).await;
                    tables.set_weather(|weather| weather.storm = None);
                    Ok(())
                });
            }
            Card::Okta(fault, times, length) => {
                self.tally.add(name(fault), times);
                for _ in 0..times {
                    self.directory.fail_next(fault);
                }
                let directory = self.directory.clone();
                under_way.spawn(async move {
                    sleep(length).await;
                    directory.fail_no_more();
                    Ok(())
                });
            }
        }
    }
}

/// Waits, unless it is over before.
async fn is_over(wait: Duration, stop: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        () = sleep(wait) => false,
        _ = stop.wait_for(|stop| *stop) => true,
    }
}

/// Every kind, the common ones more often, each after a pause.
fn deck(random: &mut Rng) -> Vec<(Duration, Card)> {
    let mut cards: Vec<_> = (0..WORKERS_KILLED).map(|_| Card::KillWorker(random.usize(..))).collect();
    cards.push(Card::KillBroker(millis(random, 0..3000)));
    cards.push(Card::KillCache(millis(random, 500..5000)));
    for fault in TableFault::ALL {
        let share = 0.2 + 0.6 * random.f64();
        cards.push(Card::Tables(fault, share, millis(random, 500..3000)));
    }
    for fault in [
        OktaFault::Status(500),
        OktaFault::Status(503),
        OktaFault::Hang,
        OktaFault::OrgLimit { reset_in: Duration::from_secs(1) },
        OktaFault::ConcurrencyLimit,
    ] {
        cards.push(Card::Okta(fault, random.usize(10..60), millis(random, 1000..5000)));
    }
    // No attempt mends these: each ends as a letter.
    for fault in [OktaFault::Garbage, OktaFault::WrongJson, OktaFault::ForeignLink, OktaFault::EndlessLink] {
        cards.push(Card::Okta(fault, random.usize(2..8), millis(random, 1000..5000)));
    }
    random.shuffle(&mut cards);
    cards.into_iter().map(|card| (millis(random, 500..3500), card)).collect()
}

fn millis(random: &mut Rng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(random.u64(range))
}

fn name(fault: OktaFault) -> &'static str {
    match fault {
        OktaFault::Status(_) => "okta: 5xx",
        OktaFault::Hang => "okta: no answer",
        OktaFault::Garbage => "okta: no JSON",
        OktaFault::WrongJson => "okta: JSON of another kind",
        OktaFault::ForeignLink => "okta: a Link to another host",
        OktaFault::EndlessLink => "okta: a Link in circles",
        OktaFault::OrgLimit { .. } => "okta: 429, the org's limit",
        OktaFault::ConcurrencyLimit => "okta: 429, the concurrency limit",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deck_comes_again_with_its_seed() {
        let decks = |seed| {
            let mut random = Rng::with_seed(seed);
            [deck(&mut random), deck(&mut random)]
        };
        assert_eq!(decks(3), decks(3));
        assert_ne!(decks(3)[0], decks(3)[1]);
        assert_ne!(decks(3), decks(4));
    }
}

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering::SeqCst};

use aws::Aws;
use futures_util::future::join_all;

use super::*;

fn cache(vars: impl IntoIterator<Item = (&'static str, String)>) -> Cache {
    let mut all = Vars::from_iter(aws::EMULATED);
    all.extend(vars);
    Cache::from_vars(&all, &Aws::from_vars(&all).unwrap()).unwrap()
}

/// The same for a cache in memory, one behind the embedded server, and the real ones that `make test-real` names.
async fn caches() -> Vec<Cache> {
    let patience = ("CACHE_TIMEOUT_MS", "5000".to_owned());
    let (embedded, _serving) = cache::embedded::serve(std::future::pending()).await.unwrap();
    let embedded = embedded.get("CACHE_URL").unwrap().to_owned();
    let mut caches = vec![cache([]), cache([("CACHE_URL", embedded), patience.clone()])];
    if let Some(url) = from_environment("TEST_REDIS_URL") {
        caches.push(cache([("CACHE_URL", url), patience.clone()]));
    }
    if let Some(url) = from_environment("TEST_REDIS_TLS_CLUSTER_URL") {
        let set = |name| from_environment(name).unwrap();
        caches.push(cache([
            ("CACHE_URL", url),
            ("CACHE_CLUSTER", "true".to_owned()),
            ("CACHE_CA_FILE", set("TEST_REDIS_CA_FILE")),
            ("CACHE_CREDENTIALS", set("TEST_REDIS_CREDENTIALS")),
            patience,
        ]));
    }
    caches
}

#[expect(clippy::disallowed_methods, reason = "a test has no main that could read it")]
fn from_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn policy() -> Policy {
    Policy::from_vars(&Vars::default()).unwrap()
}

/// One of a sandbox, before something that no other test has left in a shared Redis.
fn sandboxes<const N: usize>(policy: Policy, cache: &Cache) -> [Breaker; N] {
    let name: &'static str = Box::leak(Clock::system().new_id().to_string().into_boxed_str());
    [(); N].map(|()| Breaker::new(name, policy, cache.clone(), Clock::system()))
}

fn one() -> Breaker {
    let [breaker] = sandboxes(policy(), &cache([]));
    breaker
}

async fn fails(breaker: &Breaker) {
    breaker.permit().await.unwrap().failed(&"it is away").await;
}

async fn opens(breaker: &Breaker) {
    for _ in 0..policy().failures.get() {
        fails(breaker).await;
    }
}

async fn refuses(breaker: &Breaker) -> bool {
    breaker.permit().await.is_err()
}

async fn passes(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

async fn is(breaker: &Breaker) -> Option<State> {
    standing(&breaker.0.stored.cache, breaker.0.name).await.map(|standing| standing.state)
}

#[tokio::test(start_paused = true)]
async fn five_failures_in_a_row_open_it_and_it_says_why() {
    let breaker = one();
    for _ in 0..3 {
        for _ in 0..4 {
            fails(&breaker).await;
        }
        breaker.permit().await.unwrap().succeeded().await;
    }
    assert_eq!(is(&breaker).await, None, "four of five fail, and one is served");
    opens(&breaker).await;
    assert_eq!(breaker.permit().await.unwrap_err().to_string(), "it is away");
    assert_eq!(is(&breaker).await, Some(State::Open));
}

#[tokio::test]
async fn failures_that_are_more_than_a_minute_apart_are_no_row() {
    static AHEAD: AtomicI64 = AtomicI64::new(0);
    let breaker = Breaker::new("rows", policy(), cache([]), Clock::ahead(&AHEAD));
    for _ in 0..20 {
        fails(&breaker).await;
        AHEAD.fetch_add(61_000, SeqCst);
    }
    assert!(!refuses(&breaker).await);
    for _ in 0..5 {
        AHEAD.fetch_add(59_000, SeqCst);
        fails(&breaker).await;
    }
    assert!(refuses(&breaker).await);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_again_and_again_counts_once_and_not_at_all_if_it_succeeds() {
    let breaker = one();
    let call = breaker.permit().await.unwrap();
    for _ in 0..20 {
        call.failed(&"it is away").await;
    }
    assert!(!call.is_over() && !refuses(&breaker).await);
    for _ in 0..20 {
        let call = breaker.permit().await.unwrap();
        call.failed(&"it is away").await;
        call.succeeded().await;
    }
    assert!(!refuses(&breaker).await);
}

#[tokio::test(start_paused = true)]
async fn calls_about_one_that_fail_in_a_row_count_once() {
    let breaker = one();
    let fails = async |about: &str| {
        breaker.permit().await.unwrap().about(about).failed(&"it is away").await;
    };
    for about in ["E1", "E1", "E2", "E2", "E2", "E3", "E4", "E4"] {
        fails(about).await;
        assert!(!refuses(&breaker).await);
    }
    fails("E5").await;
    assert!(refuses(&breaker).await);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_on_its_way_is_not_made_again_once_it_is_open() {
    let breaker = one();
    let before = breaker.permit().await.unwrap();
    before.failed(&"it is away").await;
    assert!(!before.is_over());
    for _ in 1..policy().failures.get() {
        fails(&breaker).await;
    }
    assert!(before.is_over());
    before.succeeded().await;
    assert!(refuses(&breaker).await, "a call of before is no probe");
}

#[tokio::test(start_paused = true)]
async fn what_one_sandbox_finds_out_the_others_know_a_second_later() {
    let [one, other] = sandboxes(policy(), &cache([]));
    assert!(!refuses(&other).await);
    opens(&one).await;
    assert!(refuses(&one).await, "its own failures it knows at once");
    assert!(!refuses(&other).await, "it has looked a moment ago");
    passes(1).await;
    assert!(refuses(&other).await);
}

/// What comes of calls that all sandboxes want to make at once, of which the first takes so long and then ends so: how many were
/// made while it was on, how many after it, how many were refused, and how long the last has taken.
async fn at_once(sandboxes: &[Breaker], takes: Duration, succeeds: bool) -> (usize, usize, usize, Duration) {
    let began = Instant::now();
    let [during, after, refused] = [(); 3].map(|()| AtomicUsize::new(0));
    let is_over = AtomicBool::new(false);
    let calls = (0..20).flat_map(|_| sandboxes).map(async |breaker| {
        let Ok(call) = breaker.permit().await else {
            refused.fetch_add(1, SeqCst);
            return began.elapsed();
        };
        if is_over.load(SeqCst) {
            after.fetch_add(1, SeqCst);
            return began.elapsed();
        }
        during.fetch_add(1, SeqCst);
        assert_eq!(is(breaker).await, Some(State::HalfOpen));
        tokio::time::sleep(takes).await;
        is_over.store(true, SeqCst);
        if succeeds {
            call.succeeded().await;
        } else {
            call.failed(&"it is away still").await;
        }
        Duration::ZERO
    });
    let last = join_all(calls).await.into_iter().max().unwrap();
    (during.into_inner(), after.into_inner(), refused.into_inner(), last)
}

#[tokio::test(start_paused = true)]
async fn after_its_time_one_call_among_all_sandboxes_is_the_probe_and_the_others_wait_for_it() {
    let sandboxes: [Breaker; 6] = sandboxes(policy(), &cache([]));
    opens(&sandboxes[0]).await;
    passes(5).await;
    let (during, after, refused, last) = at_once(&sandboxes, Duration::from_millis(300), true).await;
    assert_eq!((during, after, refused), (1, 119, 0));
    assert!(last <= PATIENCE, "{last:?}");
    assert_eq!(is(&sandboxes[0]).await, None);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_probe_for_more_than_a_second_nor_twice_for_the_same() {
    let sandboxes: [Breaker; 6] = sandboxes(policy(), &cache([]));
    opens(&sandboxes[0]).await;
    passes(5).await;
    let probing = at_once(&sandboxes, Duration::from_secs(10), false);
    let later = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let began = Instant::now();
        for breaker in &sandboxes {
            assert!(refuses(breaker).await);
        }
        began.elapsed()
    };
    let ((during, after, refused, last), later) = tokio::join!(probing, later);
    assert_eq!((during, after, refused), (1, 0, 119));
    assert!(last <= PATIENCE && later.is_zero(), "{last:?}, {later:?}");
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_fails_opens_it_for_longer_with_what_it_met() {
    let [one, other] = sandboxes(policy(), &cache([]));
    opens(&one).await;
    let since = one.permit().await.unwrap_err().since;
    for seconds in [5, 10, 20, 30, 30] {
        passes(seconds - 1).await;
        assert!(refuses(&one).await && refuses(&other).await, "{seconds} s");
        passes(1).await;
        let probe = other.permit().await.unwrap();
        let cause = format!("it was away for {seconds} s");
        probe.failed(&cause).await;
        assert!(probe.is_over());
        probe.succeeded().await;
        assert_eq!(other.permit().await.unwrap_err(), Refused { cause, since });
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_heard_of_no_more_is_followed_by_another() {
    let [one, other] = sandboxes(policy(), &cache([]));
    opens(&one).await;
    passes(5).await;
    drop(one.permit().await.unwrap());
    assert!(refuses(&other).await);
    passes(30).await;
    other.permit().await.unwrap().succeeded().await;
    passes(1).await;
    assert!(!refuses(&one).await);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_probes_is_forgotten() {
    let breaker = one();
    opens(&breaker).await;
    passes(5 * 60 + 4).await;
    assert_eq!(is(&breaker).await, Some(State::HalfOpen));
    passes(1).await;
    assert_eq!(is(&breaker).await, None);
    fails(&breaker).await;
    assert!(!refuses(&breaker).await, "the row begins anew");
}

#[tokio::test(start_paused = true)]
async fn without_the_cache_each_sandbox_goes_by_itself() {
    let away = cache([("CACHE_URL", "redis://127.0.0.1:1".to_owned())]);
    let [one, other] = sandboxes(policy(), &away);
    opens(&one).await;
    assert!(refuses(&one).await && !refuses(&other).await);
    passes(6).await;
    let probe = one.permit().await.unwrap();
    assert!(refuses(&one).await, "one at a time");
    probe.succeeded().await;
    assert!(!refuses(&one).await);
}

#[tokio::test]
async fn all_caches_hold_it_for_all_sandboxes() {
    for cache in caches().await {
        let short = Policy { base: Duration::from_millis(50), ..policy() };
        let [one, other, third] = sandboxes(short, &cache);
        opens(&one).await;
        let probe = until_permitted(&other).await;
        assert_eq!(is(&third).await, Some(State::HalfOpen), "{cache:?}");
        probe.failed(&"it is away").await;
        assert!(refuses(&other).await, "{cache:?}");
        let probe = until_permitted(&third).await;
        probe.succeeded().await;
        assert_eq!(is(&one).await, None, "{cache:?}");
        until_permitted(&one).await.succeeded().await;
        assert_eq!(is(&one).await, None, "{cache:?}");
    }
}

/// Looks again and again, as records that come do.
async fn until_permitted(breaker: &Breaker) -> Permit {
    let looking = async {
        loop {
            if let Ok(permit) = breaker.permit().await {
                return permit;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_mins(1), looking).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_another_version_has_written_closes_it() {
    let breaker = one();
    breaker.0.stored.cache.put(&format!("breaker:{}", breaker.0.name), "open", Duration::from_mins(1)).await;
    assert!(!refuses(&breaker).await);
    assert_eq!(is(&breaker).await, None);
}

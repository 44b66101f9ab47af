use super::*;

fn cache(vars: impl IntoIterator<Item = (&'static str, String)>) -> Cache {
    let mut all = Vars::from_iter(aws::EMULATED);
    all.extend(vars);
    Cache::from_vars(&all, &Aws::from_vars(&all).unwrap()).unwrap()
}

/// The same rules for both backends, for the embedded server, and for a cluster with TLS and a password as ElastiCache
/// Serverless is. The real servers take part where `make test-real` names them.
async fn caches() -> Vec<Cache> {
    let patience = ("CACHE_TIMEOUT_MS", "5000".to_owned());
    let (embedded, _serving) = embedded::serve(std::future::pending()).await.unwrap();
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

/// A key that no earlier run has left in a shared Redis.
fn fresh_key() -> String {
    runtime::Clock::system().new_id().to_string()
}

#[tokio::test]
async fn a_filled_value_is_found() {
    for cache in caches().await {
        let key = fresh_key();
        assert_eq!(cache.get(&key).await, None);
        cache.fill(&key, "Ada").await;
        assert_eq!(cache.get(&key).await.as_deref(), Some("Ada"), "{cache:?}");
    }
}

#[tokio::test]
async fn two_stages_that_share_a_cache_do_not_see_each_others_values() {
    let key_prefix =
        KeyPrefix::from_vars(&Vars::from_iter([("CACHE_KEY_PREFIX", "other")]), "CACHE").unwrap();
    for cache in caches().await {
        let other = Cache { key_prefix: key_prefix.clone(), ..cache.clone() };
        let key = fresh_key();
        cache.fill(&key, "Ada").await;
        assert_eq!(other.get(&key).await, None, "{cache:?}");
        other.invalidate(&key).await;
        assert_eq!(cache.get(&key).await.as_deref(), Some("Ada"), "{cache:?}");
    }
}

#[tokio::test]
async fn a_reader_that_was_overtaken_by_a_write_cannot_put_the_old_value_back() {
    for cache in caches().await {
        let key = fresh_key();
        cache.fill(&key, "old").await;
        cache.invalidate(&key).await;
        cache.fill(&key, "old").await;
        assert_eq!(cache.get(&key).await, None, "{cache:?}");
    }
}

#[tokio::test]
async fn what_is_put_takes_the_place_of_what_was_there_for_its_time() {
    for cache in caches().await {
        let key = fresh_key();
        cache.fill(&key, "first").await;
        cache.put(&key, "second", Duration::from_mins(1)).await;
        assert_eq!(cache.get(&key).await.as_deref(), Some("second"), "{cache:?}");
    }
}

#[tokio::test]
async fn of_all_who_claim_a_key_at_once_one_has_it_until_it_is_taken_away() {
    for cache in caches().await {
        let key = fresh_key();
        let claim = async || {
            let claims = (0..8).map(|_| {
                let (cache, key) = (cache.clone(), key.clone());
                tokio::spawn(async move { cache.claim(&key, "mine", Duration::from_mins(1)).await.unwrap() })
            });
            let mut taken = 0;
            for claim in claims.collect::<Vec<_>>() {
                taken += usize::from(claim.await.unwrap());
            }
            taken
        };
        assert_eq!((claim().await, claim().await), (1, 0), "{cache:?}");
        assert_eq!(cache.read(&key).await.unwrap().as_deref(), Some("mine"), "{cache:?}");
        cache.remove(&key).await;
        assert_eq!(cache.read(&key).await.unwrap(), None, "{cache:?}");
        assert_eq!(claim().await, 1, "{cache:?}");
    }
}

#[tokio::test]
async fn a_claim_ends_with_its_time() {
    for cache in caches().await {
        let key = fresh_key();
        assert!(cache.claim(&key, "mine", Duration::from_millis(20)).await.unwrap(), "{cache:?}");
        let free = async {
            while !cache.claim(&key, "theirs", Duration::from_mins(1)).await.unwrap() {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_mins(1), free).await.unwrap();
        assert_eq!(cache.get(&key).await.as_deref(), Some("theirs"), "{cache:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn in_this_process_times_are_those_of_tokios_clock() {
    let cache = cache([]);
    let minute = Duration::from_mins(1);
    cache.put("put", "value", minute).await;
    assert!(cache.claim("claimed", "mine", minute).await.unwrap());
    tokio::time::advance(minute.checked_sub(Duration::from_millis(1)).unwrap()).await;
    assert!(cache.get("put").await.is_some());
    assert!(!cache.claim("claimed", "theirs", minute).await.unwrap());
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(cache.get("put").await, None);
    assert!(cache.claim("claimed", "theirs", minute).await.unwrap());
}

#[tokio::test]
async fn a_time_that_no_clock_knows_is_a_long_one() {
    for cache in caches().await {
        let key = fresh_key();
        cache.put(&key, "value", Duration::MAX).await;
        assert_eq!(cache.get(&key).await.as_deref(), Some("value"), "{cache:?}");
    }
}

#[tokio::test]
async fn what_this_process_keeps_for_itself_nobody_else_sees() {
    for cache in caches().await {
        let (own, key) = (cache.of_this_process(), fresh_key());
        own.fill(&key, "Ada").await;
        assert_eq!((own.get(&key).await.as_deref(), cache.get(&key).await), (Some("Ada"), None), "{cache:?}");
    }
}

#[tokio::test]
async fn a_cache_that_is_away_is_a_miss_and_says_so_to_a_ping() {
    let cache =
        cache([("CACHE_URL", "redis://127.0.0.1:1".to_owned()), ("CACHE_TIMEOUT_MS", "50".to_owned())]);
    cache.fill("k", "v").await;
    cache.put("k", "v", Duration::from_mins(1)).await;
    cache.invalidate("k").await;
    cache.remove("k").await;
    assert_eq!(cache.get("k").await, None);
    assert!(cache.read("k").await.is_err() && cache.claim("k", "v", Duration::from_mins(1)).await.is_err());
    assert!(cache.ping().await.is_err());
}

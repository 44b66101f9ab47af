use super::*;

fn memory() -> Cache {
    let config = Config { url: None, ttl: Duration::from_mins(1), timeout: Duration::from_millis(100) };
    Cache::new(&config).unwrap()
}

/// The same rules for both backends; Redis takes part where `make test-real` names one.
fn caches() -> Vec<Cache> {
    let mut caches = vec![memory()];
    #[expect(clippy::disallowed_methods, reason = "a test has no main that could read it")]
    if let Ok(url) = std::env::var("TEST_REDIS_URL") {
        let config = Config { url: Some(url), ttl: Duration::from_mins(1), timeout: Duration::from_secs(2) };
        caches.push(Cache::new(&config).unwrap());
    }
    caches
}

/// A key that no earlier run has left in a shared Redis.
fn fresh_key() -> String {
    runtime::Clock::system().new_id().to_string()
}

#[tokio::test]
async fn a_filled_value_is_found() {
    for cache in caches() {
        let key = fresh_key();
        assert_eq!(cache.get(&key).await, None);
        cache.fill(&key, "Ada").await;
        assert_eq!(cache.get(&key).await.as_deref(), Some("Ada"), "{cache:?}");
    }
}

#[tokio::test]
async fn a_reader_that_was_overtaken_by_a_write_cannot_put_the_old_value_back() {
    for cache in caches() {
        let key = fresh_key();
        cache.fill(&key, "old").await;
        cache.invalidate(&key).await;
        cache.fill(&key, "old").await;
        assert_eq!(cache.get(&key).await, None, "{cache:?}");
    }
}

#[tokio::test]
async fn a_cache_that_is_away_is_a_miss_and_says_so_to_a_ping() {
    let config = Config {
        url: Some("redis://127.0.0.1:1".to_owned()),
        ttl: Duration::from_mins(1),
        timeout: Duration::from_millis(50),
    };
    let cache = Cache::new(&config).unwrap();
    cache.fill("k", "v").await;
    cache.invalidate("k").await;
    assert_eq!(cache.get("k").await, None);
    assert!(cache.ping().await.is_err());
}

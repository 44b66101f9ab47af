//! Everything that a world has stored, past the functions.

use aws::Aws;
use redis::AsyncCommands;

use crate::World;

impl World {
    /// Those of the texts that stand in a table, or in the Redis of this world, in any case.
    pub async fn still_holds(&self, texts: &[&str]) -> Vec<String> {
        let vars = self.vars_of("dead-letters");
        let mut stored = self.tables().await;
        for name in ["STORAGE_URL", "CACHE_URL"] {
            if let Some(url) = vars.get(name).filter(|url| url.starts_with("redis")) {
                stored.push_str(&everything_in(url).await);
            }
        }
        let stored = stored.to_lowercase();
        texts
            .iter()
            .filter(|text| stored.contains(&text.to_lowercase()))
            .map(|text| (*text).to_owned())
            .collect()
    }

    /// The items of every table.
    async fn tables(&self) -> String {
        let vars = self.vars_of("dead-letters");
        let client = dynamo::client(&vars, &Aws::from_vars(&vars).unwrap()).unwrap();
        let mut stored = String::new();
        assert!(self.template.tables.len() >= 5, "{:?}", self.template.tables);
        for table in &self.template.tables {
            let mut start = None;
            loop {
                let scan = client.scan().table_name(&table.name).set_exclusive_start_key(start);
                let page = scan.send().await.unwrap();
                stored.push_str(&format!("{:?}", page.items));
                start = page.last_evaluated_key;
                if start.is_none() {
                    break;
                }
            }
        }
        stored
    }
}

/// Keys and values.
async fn everything_in(url: &str) -> String {
    let client = redis::Client::open(url).unwrap();
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> = redis.keys("*").await.unwrap();
    let mut stored = String::new();
    for key in keys {
        let kind: String = redis::cmd("TYPE").arg(&key).query_async(&mut redis).await.unwrap();
        let values: Vec<String> = match kind.as_str() {
            "string" => vec![redis.get(&key).await.unwrap()],
            "hash" => redis.hgetall::<_, Vec<String>>(&key).await.unwrap(),
            "set" => redis.smembers(&key).await.unwrap(),
            "zset" => redis.zrange(&key, 0, -1).await.unwrap(),
            // It has expired meanwhile.
            "none" => Vec::new(),
            other => panic!("{key} is a {other}"),
        };
        stored.push_str(&format!("{key} {values:?}\n"));
    }
    stored
}

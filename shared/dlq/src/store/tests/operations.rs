//! What a store asks of DynamoDB, operation by operation.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
};

use aws_sdk_dynamodb::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef},
    },
    error::BoxError,
    operation::query::QueryInput,
};

use super::{Client, Store};

#[derive(Debug, Clone, Default)]
pub(crate) struct Operations(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    queries: AtomicUsize,
    under_way: AtomicUsize,
    most_at_once: AtomicUsize,
    queries_fail: AtomicBool,
}

impl Operations {
    /// The store, asking the same tables under these eyes.
    pub(crate) fn of(store: &Store) -> (Store, Self) {
        let operations = Self::default();
        let config = store.client.config().to_builder().interceptor(operations.clone()).build();
        (Store { client: Client::from_conf(config), ..store.clone() }, operations)
    }

    /// How many queries there were since it was last asked.
    pub(crate) fn queries(&self) -> usize {
        self.0.queries.swap(0, SeqCst)
    }

    pub(crate) fn most_at_once(&self) -> usize {
        self.0.most_at_once.load(SeqCst)
    }

    /// Lists, and only they, are not to be had.
    pub(crate) fn let_queries_fail(&self, fail: bool) {
        self.0.queries_fail.store(fail, SeqCst);
    }
}

impl Intercept for Operations {
    fn name(&self) -> &'static str {
        "operations"
    }

    fn read_before_execution(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let under_way = self.0.under_way.fetch_add(1, SeqCst) + 1;
        self.0.most_at_once.fetch_max(under_way, SeqCst);
        if context.input().downcast_ref::<QueryInput>().is_some() {
            self.0.queries.fetch_add(1, SeqCst);
            if self.0.queries_fail.load(SeqCst) {
                return Err("a test's".into());
            }
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        _: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.under_way.fetch_sub(1, SeqCst);
        Ok(())
    }
}

use std::sync::atomic::Ordering::SeqCst;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::{Answer, Employee, World, path_of};

/// The HR system of a world.
pub struct Hr<'a>(&'a World);

impl<'a> Hr<'a> {
    pub(crate) fn of(world: &'a World) -> Self {
        Self(world)
    }

    pub async fn hires(&self, employee: &Employee) -> Answer {
        self.sends(&employee.body("hired")).await
    }

    /// States what is set, and nothing else.
    pub async fn updates(&self, employee: &Employee) -> Answer {
        self.sends(&employee.body("updated")).await
    }

    pub async fn terminates(&self, employee: &Employee) -> Answer {
        self.sends(&employee.body("terminated")).await
    }

    /// Wants the person to be forgotten.
    pub async fn forgets(&self, id: &str) -> Answer {
        self.0.unsettled.store(true, SeqCst);
        let answer = self.0.call(Method::DELETE, &path_of(id), &[], None).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
        answer
    }

    /// Posts a body that has to be accepted.
    pub async fn sends(&self, body: &Value) -> Answer {
        let answer = self.posts(&body.to_string(), &[]).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
        answer
    }

    /// Posts whatever it is.
    pub async fn posts(&self, body: &str, headers: &[(&str, &str)]) -> Answer {
        self.0.unsettled.store(true, SeqCst);
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        self.0.call(Method::POST, "/v1/hr/webhook", &all, Some(body.as_bytes().to_vec())).await
    }
}

impl std::fmt::Debug for Hr<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hr")
    }
}

use std::{
    io::Write,
    sync::{Arc, Mutex, PoisonError},
};

use lambda_http::{Body, Request, http::StatusCode};
use runtime::Clock;
use secrets::fake::SecretsManager;

use super::*;
use crate::{Api, json};

const ADMIN_OR_API: [&str; 2] = ["ADMIN_KEY", "API_KEY"];

fn api(keys: &[&str], vars: &[(&str, &str)]) -> Result<Api, ConfigError> {
    let mut all = Vars::from_iter(aws::EMULATED);
    all.extend(vars.iter().copied());
    Api::from_vars("test", keys, &all, &Aws::from_vars(&all)?, Clock::system())
}

fn refusal(keys: &[&str], vars: &[(&str, &str)]) -> String {
    api(keys, vars).unwrap_err().to_string()
}

/// The status of a request with this key.
async fn status(api: &Api, key: Option<&str>) -> u16 {
    let mut request = Request::new(Body::Empty);
    if let Some(key) = key {
        request.headers_mut().insert("x-api-key", key.parse().unwrap());
    }
    api.serve(request, async |_call| Ok(json(StatusCode::OK, &"in"))).await.status().as_u16()
}

#[test]
fn without_a_key_a_function_refuses_to_start_and_names_the_variable() {
    let missing = "is not set: expected the keys that callers may send, or a secret's id in the variable with \
        _SECRET_ID after its name, or AUTH=off to let everybody in";
    let empty = [("API_KEY", ""), ("API_KEY_SECRET_ID", ""), ("AUTH", "")];
    for vars in [&[][..], &[("AUTH", "on")], &empty] {
        assert_eq!(refusal(&["API_KEY"], vars), format!("API_KEY {missing}"), "{vars:?}");
    }
    assert_eq!(refusal(&ADMIN_OR_API, &[]), format!("ADMIN_KEY or API_KEY {missing}"));
}

#[test]
fn a_variable_in_which_no_key_is_refuses_the_start() {
    for keys in [",", " , ", "\n"] {
        assert_eq!(
            refusal(&["API_KEY"], &[("API_KEY", keys)]),
            "API_KEY is wrong: expected at least one key"
        );
    }
}

#[test]
fn a_key_and_an_open_door_are_a_contradiction() {
    for (name, keys) in
        [("API_KEY", &["API_KEY"][..]), ("ADMIN_KEY", &ADMIN_OR_API), ("API_KEY", &ADMIN_OR_API)]
    {
        for variable in [name.to_owned(), format!("{name}_SECRET_ID")] {
            let refused = refusal(keys, &[(&variable, "sesame"), ("AUTH", "off")]);
            let expected =
                format!("AUTH is off although {name} or {name}_SECRET_ID is set: expected one of the two");
            assert_eq!(refused, expected, "{variable}");
        }
    }
}

#[test]
fn another_value_of_auth_than_on_and_off_is_wrong() {
    for value in ["OFF", "false", "0", "no", "none", "On"] {
        for vars in [&[("AUTH", value)][..], &[("AUTH", value), ("API_KEY", "sesame")]] {
            let refused = refusal(&["API_KEY"], vars);
            assert_eq!(refused, "AUTH is wrong: expected on, or off to let everybody in", "{vars:?}");
        }
    }
}

#[tokio::test]
async fn whoever_says_so_aloud_lets_everybody_in() {
    let open = api(&["API_KEY"], &[("AUTH", "off"), ("API_KEY", ""), ("API_KEY_SECRET_ID", "")]).unwrap();
    for key in [None, Some(""), Some("any")] {
        assert_eq!(status(&open, key).await, 200, "{key:?}");
    }
}

#[tokio::test]
async fn without_the_first_key_the_second_guards() {
    for (vars, key) in [
        (&[("API_KEY", "everybody's")][..], "everybody's"),
        (&[("ADMIN_KEY", "mine"), ("API_KEY", "everybody's")], "mine"),
        (&[("ADMIN_KEY", ""), ("API_KEY", "everybody's"), ("AUTH", "on")], "everybody's"),
    ] {
        let api = api(&ADMIN_OR_API, vars).unwrap();
        for (given, expected) in [(Some(key), 200), (Some("another"), 403), (None, 401)] {
            assert_eq!(status(&api, given).await, expected, "{vars:?}: {given:?}");
        }
    }
}

#[tokio::test]
async fn a_secret_that_is_empty_or_missing_lets_nobody_in() {
    let manager = SecretsManager::start().await;
    manager.put("no-key", ", ,");
    manager.put("empty", "");
    for (id, expected) in [("no-key", 403), ("empty", 503), ("missing", 503)] {
        let vars = manager.vars().with("API_KEY_SECRET_ID", id);
        let aws = Aws::from_vars(&vars).unwrap();
        let api = Api::from_vars("test", &["API_KEY"], &vars, &aws, Clock::system()).unwrap();
        assert_eq!(status(&api, Some("sesame")).await, expected, "{id}");
        assert_eq!(status(&api, Some("")).await, expected, "{id}");
        assert_eq!(status(&api, None).await, 401, "{id}");
    }
}

/// Where a test's log lines go.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_open_door_is_one_warning_and_a_closed_one_is_none() {
    for (auth, expected) in [("off", 1), ("on", 0), ("", 0)] {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || warn_if_open(&Vars::from_iter([("AUTH", auth)])));
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches("WARN").count(), expected, "AUTH={auth}: {text}");
        assert_eq!(text.lines().count(), expected, "AUTH={auth}: {text}");
    }
}

use std::{
    io::Write,
    sync::{Arc, Mutex, PoisonError},
};

use runtime::Clock;
use secrets::fake::SecretsManager;

use super::*;
use crate::{
    Api, Route,
    serve::tests::{request, subject},
};

const MISSING: &str = "is not set: expected the keys that callers may send, or a secret's id in the variable with \
    _SECRET_ID after its name, or AUTH=off to let everybody in";

static HR: [Route<()>; 1] = [Route::get("/", "hr", Scope::HrWrite, subject)];
static LETTERS: [Route<()>; 1] = [Route::get("/", "letters", Scope::DeadLettersRead, subject)];
static BOTH: [Route<()>; 2] =
    [Route::get("/", "letters", Scope::UsersErase, subject), Route::get("/x", "hr", Scope::HrWrite, subject)];

fn api(routes: &'static [Route<()>], vars: &[(&str, &str)]) -> Result<Api<()>, ConfigError> {
    let mut all = Vars::from_iter(aws::EMULATED);
    all.extend(vars.iter().copied());
    Api::from_vars("test", routes, &all, &Aws::from_vars(&all)?, Clock::system())
}

fn refusal(routes: &'static [Route<()>], vars: &[(&str, &str)]) -> String {
    api(routes, vars).unwrap_err().to_string()
}

/// The status of a request with this key.
async fn status(api: &Api<()>, key: Option<&str>) -> u16 {
    let headers: Vec<_> = key.map(|key| ("x-api-key", key)).into_iter().collect();
    api.serve(&(), request("GET /", "GET", "/", &headers)).await.status().as_u16()
}

#[test]
fn a_function_with_a_route_that_no_key_opens_refuses_to_start_and_names_the_variable() {
    let empty = [("API_KEY", ""), ("API_KEY_SECRET_ID", ""), ("AUTH", "")];
    for vars in [&[][..], &[("AUTH", "on")], &empty, &[("ADMIN_KEY", "mine")]] {
        assert_eq!(refusal(&HR, vars), format!("API_KEY {MISSING}"), "{vars:?}");
    }
    for routes in [&LETTERS[..], &BOTH] {
        assert_eq!(refusal(routes, &[]), format!("ADMIN_KEY or API_KEY {MISSING}"));
    }
    assert_eq!(refusal(&BOTH, &[("ADMIN_KEY", "mine")]), format!("API_KEY {MISSING}"));
}

#[test]
fn a_variable_in_which_no_key_is_refuses_the_start() {
    for keys in [",", " , ", "\n"] {
        for (name, routes) in [("API_KEY", &HR[..]), ("ADMIN_KEY", &LETTERS)] {
            assert_eq!(
                refusal(routes, &[(name, keys)]),
                format!("{name} is wrong: expected at least one key")
            );
        }
    }
}

#[test]
fn a_key_and_an_open_door_are_a_contradiction() {
    for name in ["API_KEY", "ADMIN_KEY"] {
        for variable in [name.to_owned(), format!("{name}_SECRET_ID")] {
            for routes in [&HR[..], &LETTERS, &BOTH] {
                let refused = refusal(routes, &[(&variable, "sesame"), ("AUTH", "off")]);
                let expected = format!(
                    "AUTH is off although {name} or {name}_SECRET_ID is set: expected one of the two"
                );
                assert_eq!(refused, expected, "{variable}");
            }
        }
    }
}

#[test]
fn another_value_of_auth_than_on_and_off_is_wrong() {
    for value in ["OFF", "false", "0", "no", "none", "On"] {
        for vars in [&[("AUTH", value)][..], &[("AUTH", value), ("API_KEY", "sesame")]] {
            let refused = refusal(&HR, vars);
            assert_eq!(refused, "AUTH is wrong: expected on, or off to let everybody in", "{vars:?}");
        }
    }
}

#[tokio::test]
async fn whoever_says_so_aloud_lets_everybody_in() {
    let open = api(&HR, &[("AUTH", "off"), ("API_KEY", ""), ("API_KEY_SECRET_ID", "")]).unwrap();
    for key in [None, Some(""), Some("any")] {
        assert_eq!(status(&open, key).await, 200, "{key:?}");
    }
}

#[tokio::test]
async fn without_an_admin_key_the_api_key_has_its_scopes() {
    for (vars, everybodys, mine) in [
        (&[("API_KEY", "everybody's")][..], 200, 403),
        (&[("ADMIN_KEY", "mine"), ("API_KEY", "everybody's")], 403, 200),
        (&[("ADMIN_KEY", "mine")], 403, 200),
        (&[("ADMIN_KEY", ""), ("API_KEY", "everybody's"), ("AUTH", "on")], 200, 403),
    ] {
        let api = api(&LETTERS, vars).unwrap();
        for (given, expected) in
            [(Some("everybody's"), everybodys), (Some("mine"), mine), (Some("another"), 403), (None, 401)]
        {
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
        let api = Api::from_vars("test", &HR, &vars, &aws, Clock::system()).unwrap();
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

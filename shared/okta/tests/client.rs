//! The real client against the fake directory, over HTTP.

use std::{collections::HashSet, error::Error as _, time::Duration};

use okta::{
    Client, Config, Error, Limit, UserStatus,
    fake::{Behaviour, Directory, Fault, Person, Server},
};
use runtime::Clock;
use serde_json::Value;
use tokio::time::{sleep, timeout};

const ADA: &str = "ada.lovelace@acme.example";

struct World {
    directory: Directory,
    server: Server,
    client: Client,
}

impl World {
    async fn with(people: impl IntoIterator<Item = Person>) -> Self {
        let directory = Directory::empty(Clock::system());
        people.into_iter().for_each(|person| directory.add(person));
        Self::of(directory).await
    }

    async fn of(directory: Directory) -> Self {
        let server = Server::start(directory.clone(), "right-token").await;
        let client = Client::new(server.config(), Clock::system());
        Self { directory, server, client }
    }

    fn behaves(&self, behaviour: Behaviour) {
        self.directory.set_behaviour(behaviour);
    }

    async fn finds(&self, email: &str) -> Option<String> {
        self.client.user_with_address(email).await.expect("a search that works").map(|user| user.id)
    }

    /// What looking Ada up fails with when it meets `fault`.
    async fn failure(&self, fault: Fault) -> Error {
        self.directory.fail_next(fault);
        self.client.user_with_login(ADA).await.expect_err("a fault")
    }
}

fn person(id: &str, login: &str, email: &str) -> Person {
    Person {
        id: id.to_owned(),
        status: UserStatus::Active,
        login: login.to_owned(),
        email: email.to_owned(),
        first_name: "Ada".to_owned(),
        last_name: "Lovelace".to_owned(),
        title: "Analyst".to_owned(),
        department: String::new(),
        groups: vec!["Everyone".to_owned()],
        apps: vec!["Slack".to_owned(), "Google Workspace".to_owned()],
    }
}

fn ada() -> Person {
    person("ada", ADA, ADA)
}

#[tokio::test]
async fn a_person_is_found_by_login_with_one_request() {
    let world = World::with([ada()]).await;
    let user = world.client.user_with_login("Ada.Lovelace@ACME.example").await.unwrap().unwrap();
    assert_eq!((user.id.as_str(), &user.status), ("ada", &UserStatus::Active));
    assert_eq!((user.profile.email.as_str(), user.profile.first_name.as_deref()), (ADA, Some("Ada")));
    assert_eq!((user.profile.title.as_deref(), user.profile.department), (Some("Analyst"), None));
    assert_eq!(world.directory.requests(), 1);
}

#[tokio::test]
async fn a_login_may_hold_what_separates_the_parts_of_a_url() {
    let login = "ada+new/hire?x#y@acme.example";
    let world = World::with([person("ada", login, ADA)]).await;
    assert_eq!(world.client.user_with_login(login).await.unwrap().unwrap().id, "ada");
    assert_eq!(world.client.groups(login).await.unwrap().len(), 1);
    assert_eq!(world.client.app_links(login).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_person_whose_login_differs_is_found_at_once_by_filter() {
    let email = "ada+new/hire@acme.example";
    let world = World::with([person("ada", "alovelace", email)]).await;
    assert_eq!(world.client.user_with_login(email).await.unwrap(), None);
    assert_eq!(world.finds(email).await.as_deref(), Some("ada"));
    assert_eq!(world.directory.requests(), 2);
}

#[tokio::test]
async fn an_address_in_another_case_is_found_by_search_once_its_lag_is_over() {
    let world = World::with([person("ada", "alovelace", "Ada.Lovelace@acme.example")]).await;
    world.behaves(Behaviour { search_lag: Duration::from_hours(1), ..Behaviour::default() });
    assert_eq!(world.finds(ADA).await, None);
    world.behaves(Behaviour { search_lag: Duration::ZERO, ..Behaviour::default() });
    assert_eq!(world.finds(ADA).await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn search_sees_the_former_address_until_its_lag_is_over() {
    let world = World::with([person("ada", "alovelace", "Old@acme.example")]).await;
    world.behaves(Behaviour { search_lag: Duration::ZERO, ..Behaviour::default() });
    assert!(world.directory.update("ada", |ada| ada.email = "New@acme.example".to_owned()));
    world.behaves(Behaviour { search_lag: Duration::from_hours(1), ..Behaviour::default() });
    assert_eq!(world.finds("new@acme.example").await, None);
    assert_eq!(world.finds("New@acme.example").await.as_deref(), Some("ada"), "filter is fresh");
}

#[tokio::test]
async fn nobody_is_found_by_an_unknown_address_or_after_their_removal() {
    let world = World::with([ada()]).await;
    assert_eq!(world.finds("nobody@acme.example").await, None);
    assert!(world.directory.remove("ada"));
    assert_eq!(world.finds(ADA).await, None);
    assert_eq!(world.client.user_with_login(ADA).await.unwrap(), None);
    assert!(matches!(world.client.groups("ada").await, Err(Error::NotFound)));
}

#[tokio::test]
async fn who_is_there_goes_before_who_is_deprovisioned() {
    let former = |id, login| Person { status: UserStatus::Deprovisioned, ..person(id, login, ADA) };
    let world = World::with([former("a", "a"), person("b", "b", ADA), former("c", "c")]).await;
    assert_eq!(world.finds(ADA).await.as_deref(), Some("b"), "by filter");

    world.directory.update("a", |former| former.login = ADA.to_owned());
    assert_eq!(world.finds(ADA).await.as_deref(), Some("b"), "though a former one signed in with it");

    world.behaves(Behaviour { search_lag: Duration::ZERO, ..Behaviour::default() });
    world.directory.update("b", |person| person.email = ADA.to_uppercase());
    assert_eq!(world.finds(ADA).await.as_deref(), Some("b"), "though only search finds them");

    world.directory.remove("b");
    assert_eq!(world.finds(ADA).await.as_deref(), Some("a"), "rather than nobody");
}

#[tokio::test]
async fn an_address_with_a_quote_does_not_become_part_of_the_expression() {
    let world = World::with([ada()]).await;
    world.behaves(Behaviour { search_lag: Duration::ZERO, ..Behaviour::default() });
    for address in [format!(r#"x" or profile.email eq "{ADA}"#), format!(r"{ADA}\"), r#"""#.to_owned()] {
        assert_eq!(world.finds(&address).await, None, "{address}");
    }
}

#[tokio::test]
async fn all_groups_are_found_page_by_page() {
    for count in [0, 1, 200, 201, 450] {
        let groups: Vec<_> = (0..count).map(|number| format!("Group {number}")).collect();
        let world = World::with([Person { groups: groups.clone(), ..ada() }]).await;
        let found = world.client.groups("ada").await.unwrap();
        let names: HashSet<_> = found.iter().map(|group| group.profile.name.clone()).collect();
        assert_eq!((found.len(), names), (count, groups.into_iter().collect()));
        assert_eq!(world.directory.requests(), u64::try_from(count.div_ceil(200).max(1)).unwrap());
    }
}

#[tokio::test]
async fn app_links_have_a_name_a_label_and_an_id() {
    let world = World::with([ada()]).await;
    let apps = world.client.app_links("ada").await.unwrap();
    let names: Vec<_> = apps.iter().map(|app| (app.label.as_str(), app.app_name.as_str())).collect();
    assert_eq!(names, [("Slack", "slack"), ("Google Workspace", "googleworkspace")]);
    assert!(apps.iter().all(|app| app.app_instance_id.starts_with("0oa")));
}

#[tokio::test]
async fn a_check_says_whether_okta_answers_and_takes_the_token() {
    let world = World::with([ada()]).await;
    world.client.check().await.unwrap();
    let config = Config { token: "wrong-token".into(), ..world.server.config() };
    let refused = Client::new(config, Clock::system()).check().await;
    assert!(matches!(refused, Err(Error::Unauthorized { status: 401 })));
    let config = Config { org_url: "http://127.0.0.1:1".parse().unwrap(), ..world.server.config() };
    let away = Client::new(config, Clock::system()).check().await;
    assert!(matches!(away, Err(Error::Unreachable(_))));
}

#[tokio::test]
async fn the_fake_answers_no_web_page_and_nobody_without_the_token() {
    let world = World::with([ada()]).await;
    let http = okta::http_client(Duration::from_secs(10));
    let status = async |path: &str, headers: &[(&str, &str)]| {
        let request = http.get(world.server.url().join(path).unwrap());
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.send().await.unwrap().status().as_u16()
    };
    let token = ("authorization", "SSWS right-token");
    for path in ["/api/v1/users", "/api/v1/users/ada", "/api/v1/users/ada/groups", "/api/v1/nothing", "/"] {
        assert_eq!(status(path, &[]).await, 401, "{path}");
        assert_eq!(status(path, &[("authorization", "SSWS ")]).await, 401, "{path}");
    }
    assert_eq!(status("/api/v1/users", &[token]).await, 200);
    assert_eq!(status("/api/v1/users", &[token, ("origin", "https://evil.example")]).await, 403);
    assert_eq!(status("/api/v1/users", &[token, ("host", "evil.example")]).await, 403);
}

#[tokio::test]
async fn a_wrong_token_is_unauthorized_and_uses_up_no_fault() {
    let world = World::with([ada()]).await;
    world.directory.fail_next(Fault::Garbage);
    let config = Config { token: "wrong-token".into(), ..world.server.config() };
    let refused = Client::new(config, Clock::system()).user_with_login(ADA).await;
    assert!(matches!(refused, Err(Error::Unauthorized { status: 401 })));
    assert!(matches!(world.client.user_with_login(ADA).await, Err(Error::Malformed(_))));
}

#[tokio::test]
async fn an_org_limit_is_waited_out_by_the_servers_clock() {
    let directory = Directory::empty(Clock::fixed("2020-02-29T23:59:59.9Z".parse().unwrap()));
    let error =
        World::of(directory).await.failure(Fault::OrgLimit { reset_in: Duration::from_secs(30) }).await;
    let Error::RateLimited { limit: Limit::Org, wait } = error else { panic!("{error:?}") };
    assert_eq!(wait, Duration::from_secs(30));
}

#[tokio::test]
async fn more_requests_a_minute_than_allowed_meet_the_org_limit() {
    let world = World::with([ada()]).await;
    world.behaves(Behaviour { requests_per_minute: Some(2), ..Behaviour::default() });
    assert!(world.finds(ADA).await.is_some() && world.finds(ADA).await.is_some());
    let error = world.client.user_with_login(ADA).await.unwrap_err();
    let Error::RateLimited { limit: Limit::Org, wait } = error else { panic!("{error:?}") };
    assert!((30..=60).contains(&wait.as_secs()), "{wait:?}");
}

#[tokio::test]
async fn more_requests_at_once_than_allowed_meet_the_concurrency_limit() {
    let world = World::with([ada()]).await;
    let latency = Duration::from_millis(50);
    world.behaves(Behaviour { concurrent_requests: Some(1), latency, ..Behaviour::default() });
    let (one, other) = tokio::join!(world.client.user_with_login(ADA), world.client.user_with_login(ADA));
    let refused = [one, other].into_iter().find_map(Result::err).expect("one of two is refused");
    assert!(matches!(refused, Error::RateLimited { limit: Limit::Concurrency, .. }), "{refused:?}");
    assert!(world.finds(ADA).await.is_some(), "it has passed");

    let error = world.failure(Fault::ConcurrencyLimit).await;
    let Error::RateLimited { limit: Limit::Concurrency, wait } = error else { panic!("{error:?}") };
    assert!(wait < Duration::from_secs(5), "whatever the reset says: {wait:?}");
}

#[tokio::test]
async fn a_broken_okta_is_told_from_a_silent_one_and_from_one_that_talks_nonsense() {
    let world = World::with([ada()]).await;
    assert!(matches!(world.failure(Fault::Status(503)).await, Error::Failed { status: 503 }));
    assert!(matches!(world.failure(Fault::Garbage).await, Error::Malformed(_)));
    assert!(matches!(world.failure(Fault::WrongJson).await, Error::Malformed(_)));
    assert!(world.finds(ADA).await.is_some(), "a fault is over after one request");

    let config = Config { timeout: Duration::from_millis(100), ..world.server.config() };
    let hasty = Client::new(config, Clock::system());
    world.directory.fail_next(Fault::Hang);
    let silence =
        timeout(Duration::from_mins(1), hasty.user_with_login(ADA)).await.expect("it gives up by itself");
    assert!(matches!(silence, Err(Error::Unreachable(_))));
}

#[tokio::test]
async fn a_link_to_another_host_is_not_followed() {
    let groups = (0..300).map(|number| format!("Group {number}")).collect();
    let world = World::with([Person { groups, ..ada() }]).await;
    world.directory.fail_next(Fault::ForeignLink);
    assert!(matches!(world.client.groups("ada").await, Err(Error::Malformed(_))));
    assert_eq!(world.directory.requests(), 1);
}

#[tokio::test]
async fn a_link_in_circles_is_not_followed_for_ever() {
    let world = World::with([ada()]).await;
    world.directory.fail_next(Fault::EndlessLink);
    let groups = timeout(Duration::from_mins(1), world.client.groups("ada")).await.expect("it ends");
    assert!(matches!(groups, Err(Error::Malformed(_))));
}

#[tokio::test]
async fn an_error_rate_of_a_half_fails_about_half_of_the_requests() {
    let world = World::with([ada()]).await;
    world.behaves(Behaviour { error_rate: 0.5, ..Behaviour::default() });
    let mut failed = 0;
    for _ in 0..200 {
        match world.client.user_with_login(ADA).await {
            Ok(_) => {}
            Err(Error::Failed { status: 500 | 503 }) => failed += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!((70..=130).contains(&failed), "{failed}");
}

#[tokio::test]
async fn no_error_tells_the_address_or_the_token() {
    let world = World::with([]).await;
    let unreachable = Config { org_url: "http://127.0.0.1:1".parse().unwrap(), ..world.server.config() };
    let unreachable = Client::new(unreachable, Clock::system()).user_with_login(ADA).await.unwrap_err();
    let hasty = Config { timeout: Duration::from_millis(50), ..world.server.config() };
    world.directory.fail_next(Fault::Hang);
    let mut errors =
        vec![unreachable, Client::new(hasty, Clock::system()).user_with_login(ADA).await.unwrap_err()];
    for status in [301, 400, 401, 403, 404, 418, 429, 500, 503] {
        world.directory.fail_next(Fault::Status(status));
        errors.extend(world.client.groups(ADA).await.err());
    }
    errors.push(world.failure(Fault::Garbage).await);
    errors.push(world.failure(Fault::WrongJson).await);
    assert_eq!(errors.len(), 13);
    for error in errors {
        let mut texts = vec![format!("{error} {error:?}")];
        let mut cause = error.source();
        while let Some(next) = cause {
            texts.push(format!("{next} {next:?}"));
            cause = next.source();
        }
        for secret in ["lovelace", "right-token"] {
            assert!(!texts.iter().any(|text| text.to_lowercase().contains(secret)), "{texts:?}");
        }
    }
    assert!(!format!("{:?} {:?}", world.client, world.server).contains("right-token"));
    assert!(!format!("{:?} {:?}", ada(), world.directory).contains("lovelace"));
}

#[tokio::test]
async fn the_same_seed_makes_the_same_company_and_everybody_in_it_is_found() {
    let company = |seed| Directory::company(seed, Clock::system());
    assert_eq!(company(1).people(), company(1).people());
    assert_ne!(company(1).people(), company(2).people());

    let world = World::of(company(1)).await;
    for person in world.directory.people().into_iter().step_by(7) {
        assert_eq!(world.finds(&person.email).await, Some(person.id.clone()));
        assert_eq!(world.client.groups(&person.id).await.unwrap().len(), person.groups.len());
        assert_eq!(world.client.app_links(&person.id).await.unwrap().len(), person.apps.len());
    }
}

#[tokio::test]
async fn refusals_have_the_documented_code_and_headers() {
    let world = World::with([ada()]).await;
    let http = okta::http_client(Duration::from_secs(2));
    let url = |path: &str| world.server.url().join(path).unwrap();
    let right = "SSWS right-token";
    for (request, token, status, code) in [
        (http.get(url("/api/v1/users/ada")), "Bearer right-token", 401, "E0000011"),
        (http.get(url("/api/v1/users/nobody")), right, 404, "E0000007"),
        (http.get(url("/api/v1/users?filter=profile.EMAIL eq \"x\"")), right, 400, "E0000031"),
        (http.get(url("/api/v1/users?search=profile.email eq x")), right, 400, "E0000031"),
        (http.get(url("/api/v1/apps")), right, 404, "E0000022"),
        (http.post(url("/api/v1/users/ada")), right, 405, "E0000022"),
    ] {
        let answer = request.header("authorization", token).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{code}");
        for name in ["x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset", "date"] {
            assert!(answer.headers().contains_key(name), "{code} without {name}");
        }
        let body: Value = answer.json().await.unwrap();
        assert_eq!((&body["errorCode"], &body["errorLink"]), (&code.into(), &code.into()));
        assert!(body["errorSummary"].is_string() && body["errorId"].is_string(), "{body}");
        assert_eq!(body["errorCauses"], Value::Array(Vec::new()));
    }
    assert_eq!(world.directory.requests(), 6);
}

#[tokio::test]
async fn a_list_of_people_leaves_out_the_deprovisioned_and_goes_on_after_a_cursor() {
    let former = Person { status: UserStatus::Deprovisioned, ..person("b", "b", "b@acme.example") };
    let others = ["a", "c", "d"].map(|id| person(id, id, ADA));
    let world = World::with(others.into_iter().chain([former])).await;
    let http = okta::http_client(Duration::from_secs(2));
    let (mut url, mut seen) = (Some(world.server.url().join("/api/v1/users?limit=2").unwrap()), Vec::new());
    while let Some(page) = url.take() {
        let answer = http.get(page).header("authorization", "SSWS right-token").send().await.unwrap();
        let links: Vec<_> =
            answer.headers().get_all("link").iter().map(|link| link.to_str().unwrap()).collect();
        assert!(links[0].ends_with(r#"rel="self""#), "{links:?}");
        let next = links.get(1).and_then(|link| link.strip_prefix('<')?.strip_suffix(r#">; rel="next""#));
        url = next.map(|next| next.parse().unwrap());
        let people: Vec<Value> = answer.json().await.unwrap();
        seen.extend(people.iter().map(|person| person["id"].as_str().unwrap().to_owned()));
    }
    assert_eq!(seen, ["a", "c", "d"]);
}

#[tokio::test]
async fn a_dropped_server_answers_nobody_and_waits_for_nobody() {
    let World { directory, server, client } = World::with([ada()]).await;
    directory.fail_next(Fault::Hang);
    let (hanging, ()) = tokio::join!(client.user_with_login(ADA), async {
        while directory.requests() == 0 {
            sleep(Duration::from_millis(5)).await;
        }
        drop(server);
    });
    assert!(matches!(hanging, Err(Error::Failed { status: 503 })), "{hanging:?}");
    let gone = async {
        while !matches!(client.user_with_login(ADA).await, Err(Error::Unreachable(_))) {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(5), gone).await.expect("the port closes");
}

//! CodeDeploy's hook, between a CodeDeploy and a Lambda that hold what a test gives them. The versions that Lambda has are the
//! functions themselves.

use std::{
    collections::HashMap,
    path,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use futures_util::future::BoxFuture;
use joiner::template::Template;
use lambda::{Context, Function as _};
use pre_traffic::{Function, Verdict};
use runtime::{Clock, Vars};
use serde_json::{Value, json};
use testkit::World;
use tokio::{net::TcpListener, task::AbortHandle};

/// A version of a function: an event in, an answer or an error out.
type Version = Arc<dyn Fn(Vec<u8>) -> BoxFuture<'static, Result<Value, Value>> + Send + Sync>;

/// CodeDeploy and Lambda.
struct Cloud {
    endpoint: String,
    state: Arc<Mutex<Deployed>>,
    server: AbortHandle,
}

#[derive(Default)]
struct Deployed {
    /// Of the only deployment.
    app_spec: String,
    /// CodeDeploy has two types of revisions for it.
    is_app_spec_content: bool,
    /// By function and version.
    versions: HashMap<(String, String), Version>,
    /// What CodeDeploy was told of the hook's executions.
    told: Vec<(String, String)>,
    takes_no_verdict: bool,
    /// So many invocations are throttled, as the function has none free.
    busy: u32,
}

impl Cloud {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::<Mutex<Deployed>>::default();
        let app = Router::new()
            .route("/", post(codedeploy))
            .route("/2015-03-31/functions/{function}/invocations", post(invoke))
            .with_state(Arc::clone(&state));
        let server = tokio::spawn(async { axum::serve(listener, app).await }).abort_handle();
        Self { endpoint, state, server }
    }

    fn state(&self) -> MutexGuard<'_, Deployed> {
        self.state.lock().unwrap()
    }

    /// Puts version 8 of a function beside version 7, which must not be asked, and is about to give it traffic.
    fn deploys(&self, name: &str, version: Version) {
        let function = format!("joiner-test-{name}");
        let mut state = self.state();
        state.app_spec = json!({
            "version": 0.0,
            "Resources": [{"Function": {
                "Type": "AWS::Lambda::Function",
                "Properties":
                    {"Name": function, "Alias": "live", "CurrentVersion": "7", "TargetVersion": "8"},
            }}],
            "Hooks": [{"BeforeAllowTraffic": "joiner-test-pre-traffic"}],
        })
        .to_string();
        state.versions.insert((function.clone(), "7".to_owned()), fails("Old", "it was asked"));
        state.versions.insert((function, "8".to_owned()), version);
    }

    /// Runs the hook of the deployment, and says what it answers and what CodeDeploy was told.
    async fn hook(&self, context: Context) -> (Option<Verdict>, Vec<(String, String)>) {
        let vars = Vars::from_iter([("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "local")])
            .with("AWS_SECRET_ACCESS_KEY", "local")
            .with("AWS_ENDPOINT_URL_CODEDEPLOY", &self.endpoint)
            .with("AWS_ENDPOINT_URL_LAMBDA", &self.endpoint)
            .with("HEALTH_ROUTES", health_routes());
        let function = Function::from_vars(&vars, Clock::system()).unwrap();
        let event = include_str!("../../../events/pre-traffic/deployment.json");
        let answer = lambda::invoke(&function, event.as_bytes(), context, Clock::system()).await.ok();
        (answer.as_deref().map(verdict), std::mem::take(&mut self.state().told))
    }

    async fn verdict(&self) -> Verdict {
        let (answer, told) = self.hook(Context::default()).await;
        let answer = answer.unwrap();
        let execution = "eyJlbmNyeXB0ZWREYXRhIjoiam9pbmVyIn0=".to_owned();
        assert_eq!(told, [(execution, format!("{answer:?}"))]);
        answer
    }
}

/// As they are deployed.
fn health_routes() -> String {
    let path = path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let mut functions = Template::read(&path).unwrap().functions.into_iter();
    let hook = functions.find(|function| function.name == "pre-traffic").unwrap();
    hook.variables["HEALTH_ROUTES"].clone()
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// As documented: <https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_Operations.html>
async fn codedeploy(State(state): State<Arc<Mutex<Deployed>>>, headers: HeaderMap, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap();
    let mut state = state.lock().unwrap();
    let refused = |kind| (StatusCode::BAD_REQUEST, json!({"__type": kind}).to_string()).into_response();
    let (revision_type, place) =
        if state.is_app_spec_content { ("AppSpecContent", "appSpecContent") } else { ("String", "string") };
    let revision = |content: Option<&str>| json!({"revisionType": revision_type, place: {"content": content, "sha256": "5ca1ab1e"}});
    if request.get("deploymentId").is_some_and(|id| id != "d-A1B2C3D4E") || state.app_spec.is_empty() {
        return refused("DeploymentDoesNotExistException");
    }
    let operation = headers["x-amz-target"].to_str().unwrap().strip_prefix("CodeDeploy_20141006.").unwrap();
    let answer = match operation {
        "GetDeployment" => {
            json!({"deploymentInfo": {"applicationName": "joiner", "revision": revision(None)}})
        }
        "GetApplicationRevision" => {
            let asked = (&request["applicationName"], &request["revision"][place]["sha256"]);
            assert_eq!(asked, (&json!("joiner"), &json!("5ca1ab1e")));
            json!({"applicationName": "joiner", "revision": revision(Some(&state.app_spec))})
        }
        "PutLifecycleEventHookExecutionStatus" if state.takes_no_verdict => {
            return refused("InvalidLifecycleEventHookExecutionIdException");
        }
        "PutLifecycleEventHookExecutionStatus" => {
            let text = |field: &str| request[field].as_str().unwrap().to_owned();
            state.told.push((text("lifecycleEventHookExecutionId"), text("status")));
            json!({"lifecycleEventHookExecutionId": request["lifecycleEventHookExecutionId"]})
        }
        other => panic!("{other}"),
    };
    answer.to_string().into_response()
}

/// As documented: <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>
async fn invoke(
    State(state): State<Arc<Mutex<Deployed>>>,
    Path(function): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    event: Bytes,
) -> Response {
    let version = {
        let mut state = state.lock().unwrap();
        if state.busy > 0 {
            state.busy -= 1;
            let kind = [("x-amzn-errortype", "TooManyRequestsException")];
            return (
                StatusCode::TOO_MANY_REQUESTS,
                kind,
                r#"{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded"}"#,
            )
                .into_response();
        }
        state.versions.get(&(function, query["Qualifier"].clone())).cloned()
    };
    let Some(version) = version else {
        let kind = [("x-amzn-errortype", "ResourceNotFoundException")];
        return (StatusCode::NOT_FOUND, kind, r#"{"Type":"User"}"#).into_response();
    };
    match version(event.to_vec()).await {
        Ok(answer) => answer.to_string().into_response(),
        Err(error) => ([("x-amz-function-error", "Unhandled")], error.to_string()).into_response(),
    }
}

/// What the hook answers.
fn verdict(answer: &[u8]) -> Verdict {
    let answer: Value = serde_json::from_slice(answer).unwrap();
    [Verdict::Succeeded, Verdict::Failed].into_iter().find(|verdict| json!(verdict) == answer).unwrap()
}

fn answers(answer: Value) -> Version {
    Arc::new(move |_event| {
        let answer = answer.clone();
        Box::pin(async { Ok(answer) })
    })
}

fn fails(error_type: &'static str, message: &'static str) -> Version {
    Arc::new(move |_event| {
        Box::pin(async move { Err(json!({"errorType": error_type, "errorMessage": message})) })
    })
}

/// A function as Lambda invokes it.
fn runs(function: impl lambda::Function) -> Version {
    Arc::new(move |event| {
        let function = function.clone();
        Box::pin(async move {
            let answer = lambda::invoke(&function, &event, Context::default(), Clock::system()).await;
            Ok(serde_json::from_slice(&answer.unwrap()).unwrap())
        })
    })
}

/// More often than the SDK tries by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_is_busy_is_asked_again() {
    let cloud = Cloud::start().await;
    cloud.deploys("enrichment", answers(json!({"batchItemFailures": []})));
    cloud.state().busy = 4;
    assert_eq!(cloud.verdict().await, Verdict::Succeeded);
    assert_eq!(cloud.state().busy, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_of_each_function_that_can_do_its_work_gets_traffic() {
    let (world, cloud, clock) = (World::new().await, Cloud::start().await, Clock::system());
    let vars = |name: &str| world.vars_of(name);
    let with_key = vars("dead-letters").with("AUTH", "").with("ADMIN_KEY", "sesame");
    let versions: [(&str, Version); 7] = [
        ("hr-webhook", runs(hr_webhook::Function::from_vars(&vars("hr-webhook"), clock).unwrap())),
        ("user-query", runs(user_query::Function::from_vars(&vars("user-query"), clock).unwrap())),
        ("dead-letters", runs(dead_letters::Function::from_vars(&with_key, clock).unwrap())),
        ("fact-jobs", runs(fact_jobs::Function::from_vars(&vars("fact-jobs"), clock).unwrap())),
        ("api-reference", runs(api_reference::Function::from_vars(&vars("api-reference"), clock).unwrap())),
        ("enrichment", runs(enrichment::Function::from_vars(&vars("enrichment"), clock).unwrap())),
        (
            "dlq-reprocessor",
            runs(dlq_reprocessor::Function::from_vars(&vars("dlq-reprocessor"), clock).unwrap()),
        ),
    ];
    for route in health_routes().split(',') {
        let (function, _path) = route.split_once('=').unwrap();
        assert!(versions.iter().any(|(name, _)| *name == function), "{function} is not tried here");
    }
    for (name, version) in versions {
        cloud.deploys(name, version);
        assert_eq!(cloud.verdict().await, Verdict::Succeeded, "{name}");
    }
    assert!(world.users().await.is_empty() && world.dead_letters().await.is_empty(), "nothing was done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_does_not_reach_its_brokers_gets_no_traffic() {
    let (world, cloud) = (World::new().await, Cloud::start().await);
    let vars = world.vars_of("hr-webhook").with("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1");
    let webhook = hr_webhook::Function::from_vars(&vars, Clock::system()).unwrap();
    cloud.deploys("hr-webhook", runs(webhook));
    assert_eq!(cloud.verdict().await, Verdict::Failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_fails_or_answers_strangely_gets_no_traffic() {
    let cloud = Cloud::start().await;
    for (name, version) in [
        ("hr-webhook", fails("Runtime.ExitError", "exit status 1")),
        ("enrichment", fails("Runtime.ExitError", "exit status 1")),
        ("user-query", answers(json!({"statusCode": 503}))),
        ("user-query", answers(json!({"batchItemFailures": []}))),
        ("enrichment", answers(json!({"statusCode": 200}))),
        ("enrichment", answers(Value::Null)),
    ] {
        cloud.deploys(name, version);
        assert_eq!(cloud.verdict().await, Verdict::Failed, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_found_out_is_a_no() {
    let cloud = Cloud::start().await;
    let healthy = || answers(json!({"batchItemFailures": []}));
    cloud.deploys("enrichment", healthy());
    assert_eq!(cloud.verdict().await, Verdict::Succeeded);
    for app_spec in ["nonsense", "version: 0.0\nResources: []", "{}"] {
        cloud.state().app_spec = app_spec.to_owned();
        assert_eq!(cloud.verdict().await, Verdict::Failed, "{app_spec}");
    }
    cloud.deploys("enrichment", healthy());
    cloud.state().versions.clear();
    assert_eq!(cloud.verdict().await, Verdict::Failed, "Lambda has no such version");
    cloud.deploys("enrichment", healthy());
    let foreign = cloud.state().app_spec.replace("joiner-test-enrichment", "another");
    cloud.state().app_spec = foreign;
    assert_eq!(cloud.verdict().await, Verdict::Failed, "no function of ours");
    let vanished = Cloud::start().await;
    let (answer, _) = vanished.hook(Context::default()).await;
    assert_eq!(answer, None, "CodeDeploy knows of no such deployment, and so it can't be told either");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_spec_in_yaml_and_in_another_place_says_the_same() {
    let cloud = Cloud::start().await;
    cloud.deploys("enrichment", answers(json!({"batchItemFailures": []})));
    cloud.state().is_app_spec_content = true;
    cloud.state().app_spec = "
version: 0.0
Resources:
  - Function:
      Type: AWS::Lambda::Function
      Properties:
        Name: joiner-test-enrichment
        Alias: live
        CurrentVersion: 7
        TargetVersion: 8
"
    .to_owned();
    assert_eq!(cloud.verdict().await, Verdict::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_does_not_answer_in_time_gets_no_traffic() {
    let cloud = Cloud::start().await;
    cloud.deploys("enrichment", Arc::new(|_event| Box::pin(std::future::pending())));
    let mut context = Context::default();
    // What is left when CodeDeploy is to be told is nothing.
    let now = u64::try_from(Clock::system().now().as_millisecond()).unwrap();
    context.deadline = now + 5_200;
    let (answer, told) = cloud.hook(context).await;
    assert_eq!((answer, told.len()), (Some(Verdict::Failed), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_that_codedeploy_does_not_take_is_an_error() {
    let cloud = Cloud::start().await;
    cloud.deploys("enrichment", answers(json!({"batchItemFailures": []})));
    cloud.state().takes_no_verdict = true;
    assert_eq!(cloud.hook(Context::default()).await, (None, vec![]));
}

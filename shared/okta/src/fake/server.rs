use std::{
    future::{Future, pending},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header, request::Parts},
};
use percent_encoding::percent_decode_str;
use runtime::loopback;
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
    time::sleep,
};
use url::Url;

use super::{Directory, Fault, answer::Answer, routes, traffic::Standing};
use crate::Config;

/// A concurrency limit says when it may be over, which is a guess.
const CONCURRENCY_HINT: Duration = Duration::from_mins(1);

/// The directory on a free port of 127.0.0.1, until it is dropped.
#[derive(Debug)]
pub struct Server {
    url: Url,
    token: Token,
    /// Dropping it stops the server.
    _stop: oneshot::Sender<()>,
}

#[derive(Debug, Clone)]
struct App {
    address: SocketAddr,
    directory: Directory,
    token: Token,
    /// Closes when the server stops: whoever hangs or waits would keep it from that.
    running: watch::Receiver<()>,
}

impl Server {
    /// # Panics
    /// When this machine has no free port.
    pub async fn start(directory: Directory, token: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let url = Url::parse(&format!("http://{address}")).expect("an address makes a URL");
        let token = Token::from(token.to_owned());
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(serve(listener, directory, token.clone(), async { drop(stopped.await) }));
        Self { url, token, _stop: stop }
    }

    /// For a client that gets through. It gives up on an answer after two seconds.
    pub fn config(&self) -> Config {
        Config {
            org_url: self.url(),
            token: self.token.lock().clone().into(),
            timeout: Duration::from_secs(2),
        }
    }

    pub fn url(&self) -> Url {
        self.url.clone()
    }

    /// From now on it takes this token, and no other.
    pub fn rotate(&self, token: &str) {
        *self.token.lock() = token.into();
    }
}

/// The token that is let in.
#[derive(Debug, Clone)]
pub struct Token(Arc<Mutex<SecretString>>);

impl Token {
    fn lock(&self) -> MutexGuard<'_, SecretString> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

impl From<String> for Token {
    fn from(token: String) -> Self {
        Self(Arc::new(Mutex::new(token.into())))
    }
}

/// Answers from the directory any program on this machine that has the token, until `shutdown`. Does not wait for hanging
/// requests.
pub async fn serve(
    listener: TcpListener,
    directory: Directory,
    token: Token,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (stop, running) = watch::channel(());
    let app = App { address: listener.local_addr()?, directory, token, running };
    let app = Router::new().fallback(handle).with_state(app);
    let shutdown = async move {
        shutdown.await;
        drop(stop);
    };
    axum::serve(listener, app).with_graceful_shutdown(shutdown).await
}

async fn handle(State(mut app): State<App>, request: Request) -> Response<Body> {
    let directory = app.directory;
    directory.arrive();
    let (request, _) = request.into_parts();
    let bytes = |name| request.headers.get(name).map(HeaderValue::as_bytes);
    let (answer, standing) =
        if !loopback::is_from_a_program(app.address, bytes(header::HOST), bytes(header::ORIGIN)) {
            (failure(403), directory.standing())
        } else if is_authorized(&request.headers, &app.token.lock()) {
            tokio::select! {
                answer = admitted(&directory, &request) => answer,
                _ = app.running.changed() => (failure(503), directory.standing()),
            }
        } else {
            let refusal = Answer::error(StatusCode::UNAUTHORIZED, "E0000011", "Invalid token provided");
            (refusal, directory.standing())
        };
    answer.into_response(standing, directory.clock().now())
}

fn is_authorized(headers: &HeaderMap, token: &SecretString) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    given.and_then(|value| value.strip_prefix("SSWS ")) == Some(token.expose_secret())
}

async fn admitted(directory: &Directory, request: &Parts) -> (Answer, Standing) {
    let path = percent_decode_str(request.uri.path()).decode_utf8_lossy();
    let (_in_flight, fault) = directory.enter(&path);
    sleep(directory.behaviour().latency).await;
    let standing = directory.standing();
    let Some(url) = absolute_url(request) else {
        return (failure(400), standing);
    };
    let right = || match request.method {
        Method::GET => routes::answer(directory, &url),
        _ => Answer::error(StatusCode::METHOD_NOT_ALLOWED, "E0000022", "Only GET is supported"),
    };
    let too_many =
        || Answer::error(StatusCode::TOO_MANY_REQUESTS, "E0000047", "API call exceeded rate limit");
    match fault {
        None => (right(), standing),
        Some(Fault::Status(status)) => (failure(status), standing),
        Some(Fault::Hang) => pending().await,
        Some(Fault::Garbage) => (Answer::garbage(), standing),
        Some(Fault::WrongJson) => (Answer::wrong_json(), standing),
        Some(Fault::ForeignLink) => (right().with_link("next", other_name(url)), standing),
        Some(Fault::EndlessLink) => (right().with_link("next", routes::endless(&url)), standing),
        Some(Fault::OrgLimit { reset_in }) => (too_many(), Standing { remaining: 0, reset_in, ..standing }),
        Some(Fault::ConcurrencyLimit) => {
            (too_many(), Standing { limit: 0, remaining: 0, reset_in: CONCURRENCY_HINT })
        }
    }
}

fn failure(status: u16) -> Answer {
    let status = StatusCode::from_u16(status).ok().filter(|status| !status.is_informational());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let code = match status.as_u16() {
        400 => "E0000001",
        401 => "E0000011",
        403 => "E0000006",
        404 => "E0000007",
        429 => "E0000047",
        503 => "E0000010",
        _ => "E0000009",
    };
    Answer::error(status, code, "Something went wrong")
}

fn absolute_url(request: &Parts) -> Option<Url> {
    let host = request.headers.get(header::HOST)?.to_str().ok()?;
    Url::parse(&format!("http://{host}{}", request.uri.path_and_query()?)).ok()
}

/// The same server under a name that is another host to whoever compares.
fn other_name(mut url: Url) -> Url {
    let other = if url.host_str() == Some("localhost") { "127.0.0.1" } else { "localhost" };
    url.set_host(Some(other)).expect("an http URL takes any host");
    url
}

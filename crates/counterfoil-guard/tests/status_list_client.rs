//! The guard's client by status lists, over sockets, with an authority that can be made to misbehave.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests, over sockets and by the clock")]

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use counterfoil_guard::client::{Client, Config};
use counterfoil_guard::{MAX_LIST_TOKEN_BYTES, Refusal, base64url_encode, encode_signing_input};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const LIST: &str = "/status-lists/1";

fn seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs()
}

/// What is answered to whoever asks for the list.
#[derive(Clone)]
enum Answer {
    /// This token under this tag; a 304 to who has it.
    List(String, &'static str),
    Status(u16, &'static str),
    /// Under another type.
    Typed(String, &'static str),
    /// As long as anybody reads.
    Endless,
}

struct State {
    answer: Answer,
    keys: Answer,
    /// The heads of the requests.
    asked: Vec<String>,
    /// How much has been written of what never ends.
    written: usize,
}

struct Authority {
    issuer: String,
    key: Arc<Ed25519KeyPair>,
    state: Arc<Mutex<State>>,
}

impl Authority {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let key = Arc::new(Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap());
        let x = base64url_encode(key.public_key().as_ref());
        let keys =
            json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "k1", "alg": "EdDSA", "use": "sig", "x": x }] });
        let keys = Answer::Typed(keys.to_string(), "application/jwk-set+json");
        let state = State { answer: Answer::Status(503, ""), keys, asked: Vec::new(), written: 0 };
        let state = Arc::new(Mutex::new(state));
        let held = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Whoever goes away in the middle is what some of this is for.
                let state = Arc::clone(&held);
                tokio::spawn(async move { drop(serve(stream, state).await) });
            }
        });
        Self { issuer, key, state }
    }

    fn guard(&self) -> Client {
        Client::start(Config::status_list(&self.issuer, "web").unwrap())
    }

    fn answers(&self, answer: Answer) {
        self.state.lock().unwrap().answer = answer;
    }

    /// How often the list has been asked for.
    fn asked(&self) -> usize {
        self.heads(LIST).len()
    }

    fn heads(&self, path: &str) -> Vec<String> {
        let begin = format!("GET {path} ");
        self.state.lock().unwrap().asked.iter().filter(|head| head.starts_with(&begin)).cloned().collect()
    }

    fn sign(&self, typ: &str, claims: &Value) -> String {
        let header = json!({ "alg": "EdDSA", "kid": "k1", "typ": typ }).to_string();
        let mut token = encode_signing_input(&header, claims.to_string().as_bytes());
        let signature = self.key.sign(token.as_bytes());
        write!(token, ".{}", base64url_encode(signature.as_ref())).unwrap();
        token
    }

    fn token(&self, index: u32) -> String {
        let (id, now, iss) = ("AgICAgICAgICAgICAgICAg", seconds(), &self.issuer);
        let status = json!({ "status_list": { "idx": index, "uri": format!("{iss}{LIST}") } });
        self.sign(
            "at+jwt",
            &json!({
                "iss": iss, "sub": id, "aud": "web", "client_id": "web", "exp": now + 240, "iat": now, "jti": id, "sid": id,
                "auth_time": now, "acr": "aal1", "amr": ["pwd"], "status": status,
            }),
        )
    }

    /// Eight tokens, of which these bits are set.
    fn list(&self, issued_at: u64, ttl: u64, bits: u8) -> String {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(&[bits]).unwrap();
        let lst = base64url_encode(&zlib.finish().unwrap());
        let (iss, exp) = (&self.issuer, seconds() + 3600);
        let claims = json!({
            "iss": iss, "sub": format!("{iss}{LIST}"), "iat": issued_at, "exp": exp, "ttl": ttl,
            "status_list": { "bits": 1, "lst": lst },
        });
        self.sign("statuslist+jwt", &claims)
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) -> std::io::Result<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut head).await? == 0 {
                return Ok(());
            }
        }
        let head = String::from_utf8(head).unwrap();
        let lower = head.to_ascii_lowercase();
        let answer = {
            let mut state = state.lock().unwrap();
            state.asked.push(head.clone());
            if head.starts_with("GET /.well-known/jwks.json ") { state.keys.clone() } else { state.answer.clone() }
        };
        let list = "application/statuslist+jwt";
        let (status, headers, body) = match answer {
            Answer::List(_, tag) if lower.contains(&format!("if-none-match: {tag}\r\n")) => {
                (304, String::new(), String::new())
            }
            Answer::List(token, tag) => (200, format!("content-type: {list}\r\netag: {tag}\r\n"), token),
            Answer::Typed(body, typ) => (200, format!("content-type: {typ}\r\n"), body),
            Answer::Status(status, headers) => (status, headers.to_owned(), String::new()),
            Answer::Endless => return endless(stream, &state).await,
        };
        // So that those who come at the same time do come at the same time.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let length = body.len();
        let answer = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await?;
    }
}

async fn endless(mut stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/statuslist+jwt\r\n\r\n").await?;
    let piece = vec![b'a'; 65536];
    loop {
        stream.write_all(&piece).await?;
        state.lock().unwrap().written += piece.len();
    }
}

async fn outcome(guard: &Client, token: &str) -> Result<(), Refusal> {
    guard.verify(token).await.map(|_| ())
}

/// Asks again and again until it comes out like this; what it came out like before.
async fn until(guard: &Client, token: &str, wanted: Result<(), Refusal>) -> Vec<Result<(), Refusal>> {
    let (mut before, started) = (Vec::new(), Instant::now());
    loop {
        let found = outcome(guard, token).await;
        if found == wanted {
            return before;
        }
        before.push(found);
        assert!(started.elapsed() < Duration::from_secs(10), "{wanted:?} did not come about, but {found:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_fetched_once_for_all_who_need_it() {
    let authority = Authority::start().await;
    authority.answers(Answer::List(authority.list(seconds(), 300, 0b10), "\"1\""));
    let guard = authority.guard();
    let asking = (0..50).map(|index| {
        let (guard, token) = (guard.clone(), authority.token(index % 2));
        tokio::spawn(async move { outcome(&guard, &token).await })
    });
    for (index, asked) in asking.collect::<Vec<_>>().into_iter().enumerate() {
        let expected = if index % 2 == 0 { Ok(()) } else { Err(Refusal::Revoked) };
        assert_eq!(asked.await.unwrap(), expected, "{index}");
    }
    assert_eq!(outcome(&guard, &authority.token(8)).await, Err(Refusal::BadClaim), "beyond the end");
    assert_eq!((authority.asked(), authority.heads("/.well-known/jwks.json").len()), (1, 1));
    let head = authority.heads(LIST).remove(0).to_ascii_lowercase();
    assert!(head.contains("accept: application/statuslist+jwt\r\n"), "{head}");
    assert!(!head.contains("authorization"), "no credential is sent anywhere: {head}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tsl_11_a_list_in_use_is_renewed_before_its_end_and_a_revocation_is_in_force_with_it() {
    let authority = Authority::start().await;
    let list = authority.list(seconds(), 2, 0);
    authority.answers(Answer::List(list, "\"1\""));
    let guard = authority.guard();
    guard.ready().await;
    let (token, started) = (authority.token(1), Instant::now());
    while authority.asked() < 2 {
        assert_eq!(outcome(&guard, &token).await, Ok(()));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(started.elapsed() < Duration::from_secs(2), "before its end: {:?}", started.elapsed());
    // A list that is confirmed is as good as a new one.
    while started.elapsed() < Duration::from_millis(2500) {
        assert_eq!(outcome(&guard, &token).await, Ok(()));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let heads = authority.heads(LIST);
    assert!(heads.len() <= 3, "{heads:?}");
    assert!(heads[1..].iter().all(|head| head.to_ascii_lowercase().contains("if-none-match: \"1\"\r\n")), "{heads:?}");
    // And a new one is taken.
    authority.answers(Answer::List(authority.list(seconds(), 2, 0b10), "\"2\""));
    let changed = Instant::now();
    until(&guard, &token, Err(Refusal::Revoked)).await;
    assert!(changed.elapsed() < Duration::from_millis(2500), "within the ttl: {:?}", changed.elapsed());
    assert_eq!(outcome(&guard, &authority.token(2)).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tsl_11_an_older_list_is_refused_and_the_one_that_is_held_counts_until_its_end() {
    let authority = Authority::start().await;
    authority.answers(Answer::List(authority.list(seconds(), 1, 0b10), "\"2\""));
    let guard = authority.guard();
    let token = authority.token(1);
    assert_eq!(outcome(&guard, &token).await, Err(Refusal::Revoked));
    authority.answers(Answer::List(authority.list(seconds() - 10, 1, 0), "\"1\""));
    let before = until(&guard, &token, Err(Refusal::VerifierStale)).await;
    assert!(before.iter().all(|found| *found == Err(Refusal::Revoked)), "{before:?}");
    assert!(authority.asked() >= 2);
    assert_eq!(outcome(&guard, &token).await, Err(Refusal::VerifierStale), "never the older one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tsl_8_3b_a_list_that_cannot_be_had_counts_until_its_end_and_then_nothing_does() {
    let authority = Authority::start().await;
    authority.answers(Answer::List(authority.list(seconds(), 1, 0b10), "\"1\""));
    let guard = authority.guard();
    let (token, started) = (authority.token(0), Instant::now());
    assert_eq!(outcome(&guard, &token).await, Ok(()));
    authority.answers(Answer::Status(503, ""));
    let before = until(&guard, &token, Err(Refusal::VerifierStale)).await;
    assert!(before.iter().all(|found| *found == Ok(())), "{before:?}");
    assert!(started.elapsed() >= Duration::from_millis(900), "used until its end: {:?}", started.elapsed());
    // However many ask, it is not asked for more often than the pauses allow: at 0.75 s, then after 0.25, 0.5 and 1 s.
    let until_then = Instant::now();
    while until_then.elapsed() < Duration::from_secs(1) {
        assert_eq!(outcome(&guard, &token).await, Err(Refusal::VerifierStale));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!((2..=5).contains(&authority.asked()), "{}", authority.asked());
    // And back.
    authority.answers(Answer::List(authority.list(seconds(), 60, 0), "\"2\""));
    until(&guard, &token, Ok(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_list_of_the_authority_is_refused() {
    let authority = Authority::start().await;
    let good = authority.list(seconds(), 60, 0);
    let elsewhere = good.replace('.', "..");
    for (answer, asked) in [
        (Answer::Typed(good.clone(), "application/jwt"), 1),
        (Answer::Typed(good.clone(), "text/html"), 1),
        (Answer::Typed(authority.token(0), "application/statuslist+jwt"), 1),
        (Answer::Typed(elsewhere, "application/statuslist+jwt"), 1),
        (Answer::Status(404, ""), 1),
        (Answer::Status(304, ""), 1),
        (Answer::Status(307, "location: /moved\r\n"), 1),
        (Answer::Endless, 1),
    ] {
        let before = authority.asked();
        authority.answers(answer);
        let (guard, token) = (authority.guard(), authority.token(0));
        assert_eq!(outcome(&guard, &token).await, Err(Refusal::VerifierStale));
        assert_eq!(outcome(&guard, &token).await, Err(Refusal::VerifierStale), "not asked again at once");
        assert_eq!(authority.asked() - before, asked);
    }
    assert_eq!(authority.heads("/moved").len(), 0, "redirects are not followed");
    let written = authority.state.lock().unwrap().written;
    // As much again, and more, may lie in the buffers of both ends.
    assert!((MAX_LIST_TOKEN_BYTES..MAX_LIST_TOKEN_BYTES * 4).contains(&written), "{written}");
    authority.answers(Answer::Typed(good, "application/statuslist+jwt"));
    assert_eq!(outcome(&authority.guard(), &authority.token(0)).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_accepted_without_keys() {
    let authority = Authority::start().await;
    authority.answers(Answer::List(authority.list(seconds(), 60, 0), "\"1\""));
    let keys = std::mem::replace(&mut authority.state.lock().unwrap().keys, Answer::Status(500, ""));
    let (guard, token) = (authority.guard(), authority.token(0));
    for _ in 0..20 {
        assert_eq!(outcome(&guard, &token).await, Err(Refusal::VerifierStale));
    }
    assert_eq!((authority.asked(), authority.heads("/.well-known/jwks.json").len()), (0, 1));
    authority.state.lock().unwrap().keys = keys;
    guard.ready().await;
    assert_eq!(outcome(&guard, &token).await, Ok(()));
    let foreign = token.replace('.', "..");
    assert_eq!(outcome(&guard, &foreign).await, Err(Refusal::Malformed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_ends_when_the_list_says_so() {
    let authority = Authority::start().await;
    authority.answers(Answer::List(authority.list(seconds(), 1, 0), "\"1\""));
    let guard = authority.guard();
    let verified = guard.verify(&authority.token(1)).await.unwrap();
    authority.answers(Answer::List(authority.list(seconds(), 1, 0b10), "\"2\""));
    let ended = tokio::time::timeout(Duration::from_secs(10), guard.watch(&verified)).await;
    assert_eq!(ended.unwrap(), Refusal::Revoked);
}

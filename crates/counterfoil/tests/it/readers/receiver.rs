//! A receiver, of webhooks or of logout tokens: keeps what it is sent, and answers as it is told.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use serde_json::Value;
use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What was sent.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) line: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    /// What it was answered with.
    pub(super) answer: u16,
}

impl Delivery {
    pub(super) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        &found.unwrap_or_else(|| panic!("no {name} in {:?}", self.headers)).1
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(super) fn word(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }

    /// What stands in the body's one field.
    pub(super) fn logout_token(&self) -> &str {
        self.body.strip_prefix("logout_token=").unwrap_or_else(|| panic!("{}", self.body))
    }

    /// Checks the signature as a receiver has to, from the standard's words alone.
    pub(super) fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &key);
        let signed = format!("{}.{}.{}", self.header("webhook-id"), self.header("webhook-timestamp"), self.body);
        let mut signatures = self.header("webhook-signature").split(' ').filter_map(|one| one.strip_prefix("v1,"));
        signatures.any(|one| aws_lc_rs::hmac::verify(&key, signed.as_bytes(), &STANDARD.decode(one).unwrap()).is_ok())
    }
}

/// Whether a body is one of those.
type Those = Box<dyn Fn(&str) -> bool + Send>;

#[derive(Default)]
struct State {
    deliveries: Mutex<Vec<Delivery>>,
    /// Statuses for the next ones; then 204 for ever.
    answers: Mutex<VecDeque<u16>>,
    refusing: AtomicBool,
    silent: AtomicBool,
    redirect: Mutex<String>,
    /// Bodies that are answered 400, however often they come.
    cannot: Mutex<Option<Those>>,
    /// How many bytes of body an answer has, where it is not the usual one; and how many have been taken of such.
    flood: AtomicUsize,
    taken: AtomicUsize,
    held: Mutex<Vec<Box<dyn Send>>>,
    /// What stands in the body of an answer that has one; "no" if nothing is said.
    says: Mutex<String>,
}

pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    state: Arc<State>,
}

impl Receiver {
    pub(super) fn start() -> Self {
        Self::begin(None)
    }

    /// One that speaks TLS as `localhost`, and the certificate to trust.
    pub(super) fn start_with_tls() -> (Self, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let config = rustls::ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        (Self::begin(Some(Arc::new(config))), made.cert.pem())
    }

    /// Takes its next deliveries with this body.
    pub(super) fn says(&self, body: &str) {
        body.clone_into(&mut self.state.says.lock());
    }

    fn begin(tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, state) = (listener.local_addr().unwrap(), Arc::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (state, tls, stream) = (Arc::clone(&shared), tls.clone(), stream.unwrap());
                std::thread::spawn(move || match tls {
                    None => serve(&state, stream),
                    Some(tls) => {
                        let session = rustls::ServerConnection::new(tls).unwrap();
                        serve(&state, rustls::StreamOwned::new(session, stream));
                    }
                });
            }
        });
        Self { address, state }
    }

    /// Answers the next ones like this, and then well.
    pub(super) fn answers(&self, statuses: &[u16]) {
        self.state.answers.lock().extend(statuses);
    }

    /// Where its 302 leads.
    pub(super) fn redirects_to(&self, place: &str) {
        place.clone_into(&mut self.state.redirect.lock());
    }

    /// Answers 503 from now on, or not any more.
    pub(super) fn refuses(&self, on: bool) {
        self.state.refusing.store(on, Ordering::SeqCst);
    }

    /// Takes everything in and never answers.
    pub(super) fn says_nothing(&self) {
        self.state.silent.store(true, Ordering::SeqCst);
    }

    /// Answers bodies of which this is true with 400, however often they come.
    pub(super) fn cannot(&self, this: impl Fn(&str) -> bool + Send + 'static) {
        *self.state.cannot.lock() = Some(Box::new(this));
    }

    /// Answers 200 and this many bytes of body, from now on.
    pub(super) fn floods(&self, bytes: usize) {
        self.state.flood.store(bytes, Ordering::SeqCst);
    }

    /// How many of those bytes it could get rid of.
    pub(super) fn flooded(&self) -> usize {
        self.state.taken.load(Ordering::SeqCst)
    }

    pub(super) fn deliveries(&self) -> Vec<Delivery> {
        self.state.deliveries.lock().clone()
    }

    /// The events it has taken, by their words, each time they came.
    pub(super) fn taken(&self) -> Vec<String> {
        self.deliveries().iter().filter(|delivery| delivery.answer == 204).map(Delivery::word).collect()
    }
}

/// The requests of one connection.
fn serve(state: &State, stream: impl Read + Write + Send + 'static) {
    let mut reader = BufReader::new(stream);
    while let Some((line, headers, body)) = request(&mut reader) {
        let next = state.answers.lock().pop_front();
        let flood = state.flood.load(Ordering::SeqCst);
        let usual = if flood > 0 { 200 } else { 204 };
        let cannot = state.cannot.lock().as_ref().is_some_and(|cannot| cannot(&body));
        let answer = match (state.refusing.load(Ordering::SeqCst), cannot) {
            (true, _) => 503,
            (false, true) => 400,
            (false, false) => next.unwrap_or(usual),
        };
        if state.silent.load(Ordering::SeqCst) {
            state.deliveries.lock().push(Delivery { line, headers, body, answer: 0 });
            state.held.lock().push(Box::new(reader));
            return;
        }
        let place = state.redirect.lock().clone();
        state.deliveries.lock().push(Delivery { line, headers, body, answer });
        if flood > 0 {
            return pour(state, reader.get_mut(), flood);
        }
        let location = if answer == 302 { format!("Location: {place}\r\n") } else { String::new() };
        let said = state.says.lock().clone();
        let said = if said.is_empty() { "no".to_owned() } else { said };
        let content = if answer == 204 { String::new() } else { format!("content-length: {}\r\n", said.len()) };
        let text = format!("HTTP/1.1 {answer} x\r\n{location}{content}\r\n{}", if answer == 204 { "" } else { &said });
        if reader.get_mut().write_all(text.as_bytes()).and_then(|()| reader.get_mut().flush()).is_err() {
            return;
        }
    }
}

/// Answers with so many bytes, as far as they are taken.
fn pour(state: &State, stream: &mut impl Write, bytes: usize) {
    const PIECE: [u8; 8192] = [b'x'; 8192];
    let mut sent = stream.write_all(format!("HTTP/1.1 200 x\r\ncontent-length: {bytes}\r\n\r\n").as_bytes());
    for _ in 0..bytes / PIECE.len() {
        sent = sent.and_then(|()| stream.write_all(&PIECE));
        if sent.is_err() {
            return;
        }
        state.taken.fetch_add(PIECE.len(), Ordering::SeqCst);
    }
}

type Request = (String, Vec<(String, String)>, String);

fn request(reader: &mut BufReader<impl Read>) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let headers: Vec<(String, String)> = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?.1.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((lines[0].clone(), headers, String::from_utf8(body).ok()?))
}

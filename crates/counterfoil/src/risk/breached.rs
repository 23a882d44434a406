//! Passwords known from breaches of other services: a sorted file of digests, and a service that is told five hexadecimal digits of one
//! (k-anonymity, the protocol of Have I Been Pwned). Neither ever hears a password, and whatever fails has found nothing: people sign in
//! and change passwords all the same.

use super::file::Watched;
use crate::config::{ConfigError, OutgoingUrl, RiskConfig};
use crate::outgoing::{self, Outgoing};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use bytes::Bytes;
use counterfoil_core::credential::password::Password;
use counterfoil_core::{Secret, Timestamp};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use parking_lot::Mutex;
use std::fmt::Write as _;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The longest line: a digest, a colon and a count.
const LINE: usize = 80;

/// The fewest digits a line may have.
const FEWEST: usize = 16;

/// How many lines are looked at to see whether they are sorted.
const SAMPLES: u64 = 64;

/// The most that is taken of an answer.
const MAX_ANSWER: usize = 512 * 1024;

/// A service that has failed is left alone for so long: not every sign-in shall wait for it.
const REST: Duration = Duration::from_secs(30);

/// How many digits the service is told.
const TOLD: usize = 5;

/// What there is to ask.
pub(super) struct Breached {
    list: Option<Arc<Watched<List>>>,
    service: Option<Service>,
}

impl Breached {
    pub(super) fn open(config: &RiskConfig) -> Result<Self, ConfigError> {
        let list = config.breached_passwords.as_deref();
        let list = list.map(|path| Watched::open("risk.breached_passwords", path, List::open)).transpose()?;
        let timeout = config.breached_passwords_timeout.0;
        let service = config.breached_passwords_service.clone();
        let service = service.map(|url| Service::new(url, timeout)).transpose()?;
        Ok(Self { list: list.map(Arc::new), service })
    }

    pub(super) fn reread(&self) {
        if let Some(list) = &self.list {
            list.reread();
        }
    }

    /// Whether a password is on the list, or known to the service.
    pub(super) async fn contains(&self, password: &Password, now: Timestamp) -> bool {
        if self.list.is_none() && self.service.is_none() {
            return false;
        }
        let digits = Arc::new(digits(password));
        if let Some(list) = self.list.clone() {
            let digits = Arc::clone(&digits);
            let found = tokio::task::spawn_blocking(move || list.value().contains(digits.expose())).await;
            match found.map_err(std::io::Error::other).and_then(|found| found) {
                Ok(true) => return true,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "the list of breached passwords cannot be read"),
            }
        }
        match &self.service {
            Some(service) => service.knows(digits.expose(), now).await,
            None => false,
        }
    }
}

/// The SHA-1 of a password in hexadecimal, as these lists have it. It protects nothing here, and is never kept.
fn digits(password: &Password) -> Secret<String> {
    let sum = digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    let mut text = String::with_capacity(40);
    for byte in sum.as_ref() {
        write!(text, "{byte:02X}").expect("writing to a string does not fail");
    }
    Secret::new(text)
}

/// A sorted file, searched where it lies.
pub(super) struct List {
    file: File,
    length: u64,
}

impl List {
    fn open(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let length = file.metadata().map_err(|error| error.to_string())?.len();
        let opened = Self { file, length };
        let mut last = String::new();
        for sample in 0..=SAMPLES {
            let at = length.saturating_mul(sample) / SAMPLES;
            let (start, line) = opened.line(at.min(length.saturating_sub(1)), 0).map_err(|error| error.to_string())?;
            let key = key(&line).ok_or_else(|| {
                format!("at byte {start}: expected the SHA-1 of a password, 16 to 40 hexadecimal digits, perhaps with `:COUNT`")
            })?;
            if key < last {
                return Err(format!("at byte {start}: the lines are not sorted (`LC_ALL=C sort`)"));
            }
            last = key;
        }
        Ok(opened)
    }

    /// The line around a place that is not before `low`: where it begins, and what it says.
    fn line(&self, at: u64, low: u64) -> std::io::Result<(u64, String)> {
        let from = at.saturating_sub(LINE as u64).max(low);
        let before = self.read(from, usize::try_from(at - from).unwrap_or(LINE))?;
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(from, |newline| from + newline as u64 + 1);
        let line = self.read(start, 2 * LINE)?;
        let end = line.iter().position(|byte| *byte == b'\n').unwrap_or(line.len());
        Ok((start, String::from_utf8_lossy(&line[..end]).into_owned()))
    }

    fn read(&self, at: u64, length: usize) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while filled < length {
            match self.file.read_at(&mut bytes[filled..], at + filled as u64)? {
                0 => break,
                more => filled += more,
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    fn contains(&self, digits: &str) -> std::io::Result<bool> {
        let (mut low, mut high) = (0, self.length);
        while low < high {
            let (start, line) = self.line(u64::midpoint(low, high), low)?;
            let key = key(&line).ok_or_else(|| std::io::Error::other("a line is no digest"))?;
            match key.as_str().cmp(&digits[..key.len()]) {
                std::cmp::Ordering::Equal => return Ok(true),
                std::cmp::Ordering::Less => low = start + line.len() as u64 + 1,
                std::cmp::Ordering::Greater => high = start,
            }
        }
        Ok(false)
    }
}

/// The digest of a line.
fn key(line: &str) -> Option<String> {
    let key = line.split(':').next().unwrap_or_default().trim_end();
    let fits = (FEWEST..=40).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_hexdigit());
    fits.then(|| key.to_ascii_uppercase())
}

/// A service that is asked.
struct Service {
    url: OutgoingUrl,
    timeout: Duration,
    client: Outgoing,
    rests_until: Mutex<Option<Timestamp>>,
}

impl Service {
    fn new(url: OutgoingUrl, timeout: Duration) -> Result<Self, ConfigError> {
        let client = outgoing::client(url.is_https(), 64 * 1024).map_err(|error| {
            ConfigError::key("risk.breached_passwords_service", format!("this machine trusts no authority: {error}"))
        })?;
        Ok(Self { url, timeout, client, rests_until: Mutex::new(None) })
    }

    async fn knows(&self, digits: &str, now: Timestamp) -> bool {
        if self.rests_until.lock().is_some_and(|until| now < until) {
            count("resting");
            return false;
        }
        let (told, kept) = digits.split_at(TOLD);
        let answer = tokio::time::timeout(self.timeout, self.ask(told)).await;
        let found = match answer {
            Ok(Ok(text)) => is_listed(&text, kept),
            Ok(Err(reason)) => return self.failed(&reason, now),
            Err(_) => return self.failed("it did not answer in time", now),
        };
        *self.rests_until.lock() = None;
        count(if found { "found" } else { "clean" });
        found
    }

    fn failed(&self, reason: &str, now: Timestamp) -> bool {
        tracing::warn!(
            reason,
            "the service for breached passwords failed; passwords are taken unasked for half a minute"
        );
        *self.rests_until.lock() = Some(now.plus(REST));
        count("failed");
        false
    }

    async fn ask(&self, told: &str) -> Result<String, String> {
        let request = Request::get(format!("{}{told}", self.url.uri()));
        let request = request.header("add-padding", "true").header("user-agent", "counterfoil");
        let request = request.body(Full::<Bytes>::default()).map_err(|error| error.to_string())?;
        let response = self.client.request(request).await.map_err(|error| error.to_string())?;
        if response.status() != StatusCode::OK {
            return Err(format!("it answered {}", response.status().as_u16()));
        }
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await.map_err(|error| error.to_string())?;
        String::from_utf8(body.to_bytes().to_vec()).map_err(|_| "its answer is not text".to_owned())
    }
}

/// Whether the rest of a digest is in an answer: `SUFFIX:COUNT` a line, and a count of 0 is padding.
fn is_listed(text: &str, kept: &str) -> bool {
    let counts = |line: &str| {
        let (suffix, count) = line.trim().split_once(':')?;
        (suffix.eq_ignore_ascii_case(kept) && count.trim() != "0").then_some(())
    };
    text.lines().any(|line| counts(line).is_some())
}

fn count(outcome: &'static str) {
    metrics::counter!("counterfoil_breached_password_lookups_total", "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use super::{List, digits, is_listed};
    use counterfoil_core::Secret;
    use counterfoil_core::credential::password::Password;

    fn written(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("list");
        std::fs::write(&path, text).expect("written");
        (folder, path)
    }

    #[test]
    fn every_line_of_a_list_is_found_and_nothing_else() {
        for (cut, ending) in [(40, "\n"), (16, "\n"), (40, ":3\r\n")] {
            let mut all: Vec<String> = (0..300)
                .map(|n| digits(&Password::new(&Secret::new(format!("password {n}"))).expect("short")).expose().clone())
                .collect();
            all.sort_unstable();
            let lines: Vec<String> = all.iter().map(|digits| format!("{}{ending}", &digits[..cut])).collect();
            let (_folder, path) = written(&lines.concat());
            let list = List::open(&path).expect("a list");
            assert!(all.iter().all(|digits| list.contains(digits).expect("read")), "{cut}");
            let other = digits(&Password::new(&Secret::new("another".into())).expect("short"));
            assert!(!list.contains(other.expose()).expect("read"));
        }
    }

    #[test]
    fn a_list_that_is_none_is_refused() {
        let line = |digit: &str| digit.repeat(20);
        let unsorted = [line("F"), line("0")].concat().replace("F0", "F\n0");
        for (text, expected) in
            [("", "16 to 40 hexadecimal digits"), ("hunter2\n", "16 to 40"), (&unsorted, "not sorted")]
        {
            let (_folder, path) = written(text);
            let refused = List::open(&path).err().unwrap_or_default();
            assert!(refused.contains(expected), "{text:?}: {refused}");
        }
    }

    #[test]
    fn padding_in_an_answer_is_no_breach() {
        let text = "003D68EB55068C33ACE09247EE4C639306B:3\r\n1E4C9B93F3F0682250B6CF8331B7EE68FD8:0\r\n";
        assert!(is_listed(text, "003D68EB55068C33ACE09247EE4C639306B"));
        assert!(!is_listed(text, "1E4C9B93F3F0682250B6CF8331B7EE68FD8") && !is_listed(text, "AAAA"));
    }
}

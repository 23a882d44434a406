//! S2 over a network that cuts, delays and repeats: not one token is accepted after the receipt for its revocation.

use super::{ENV, credential, guard, seed, sign_out};
use crate::support::Server;
use counterfoil_guard::client::Client;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const REVOCATIONS: usize = 1000;
const AT_ONCE: usize = 50;

/// What befalls one exchange.
#[derive(Clone, Copy)]
enum Fate {
    Pass,
    Delay(Duration),
    /// The request arrives and its answer is lost.
    LoseTheAnswer,
    /// The answer breaks off in the middle.
    CutTheAnswer,
    /// The request arrives twice.
    Repeat,
    /// Nothing passes for a while.
    Refuse,
}

/// The same on every run: a counter through a mixing function.
fn fate(seed: u64) -> Fate {
    let mixed = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let roll = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40;
    match roll % 12 {
        0 | 1 => Fate::Delay(Duration::from_millis(roll % 400)),
        2 | 3 => Fate::LoseTheAnswer,
        4 => Fate::CutTheAnswer,
        5 | 6 => Fate::Repeat,
        7 => Fate::Refuse,
        _ => Fate::Pass,
    }
}

/// A proxy between one guard and the authority; one exchange per connection.
async fn unreliable(authority: SocketAddr, seeds: Arc<AtomicU64>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((guard, _)) = listener.accept().await {
            let fate = fate(seeds.fetch_add(1, Ordering::Relaxed));
            // A broken connection is what this is for.
            tokio::spawn(async move { drop(carry(guard, authority, fate).await) });
        }
    });
    address
}

async fn carry(mut guard: TcpStream, authority: SocketAddr, fate: Fate) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if guard.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    // Without keep-alive, so that every poll is an exchange of its own.
    let request = String::from_utf8(request).unwrap().replacen("\r\n", "\r\nConnection: close\r\n", 1);
    match fate {
        Fate::Refuse => {
            tokio::time::sleep(Duration::from_millis(900)).await;
            return Ok(());
        }
        Fate::Delay(time) => tokio::time::sleep(time).await,
        Fate::Repeat => drop(exchange(authority, &request).await?),
        _ => {}
    }
    let answer = exchange(authority, &request).await?;
    match fate {
        Fate::LoseTheAnswer => tokio::time::sleep(Duration::from_millis(300)).await,
        Fate::CutTheAnswer => guard.write_all(&answer[..answer.len() * 2 / 3]).await?,
        Fate::Delay(time) => {
            tokio::time::sleep(time).await;
            guard.write_all(&answer).await?;
        }
        _ => guard.write_all(&answer).await?,
    }
    Ok(())
}

async fn exchange(authority: SocketAddr, request: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(authority).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_of_a_thousand_revocations_under_cuts_not_one_is_accepted_after_its_receipt() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = seed(folder.path(), REVOCATIONS);
    let server = Arc::new(Server::start(folder.path(), &ENV));
    let credential = credential(folder.path(), "api");
    let seeds = Arc::new(AtomicU64::new(0));
    let mut guards = Vec::new();
    for _ in 0..3 {
        guards.push(guard(unreliable(server.address, Arc::clone(&seeds)).await, &credential));
    }
    for guard in &guards {
        guard.ready().await;
    }
    let (guards, accepted, early) = (Arc::new(guards), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut running = tokio::task::JoinSet::new();
    for session in sessions {
        if running.len() >= AT_ONCE {
            running.join_next().await.unwrap().unwrap();
        }
        let (server, guards) = (Arc::clone(&server), Arc::clone(&guards));
        let (accepted, early) = (Arc::clone(&accepted), Arc::clone(&early));
        running.spawn(async move {
            accepted.fetch_add(accepting(&guards, &session.access).await, Ordering::Relaxed);
            let leaving = session.clone();
            let receipt = tokio::task::spawn_blocking(move || sign_out(&server, &leaving)).await.unwrap();
            assert_eq!(accepting(&guards, &session.access).await, 0, "after {receipt}");
            early.fetch_add(usize::from(receipt["ms"].as_u64().unwrap() < 1000), Ordering::Relaxed);
        });
    }
    running.join_all().await;
    assert!(accepted.load(Ordering::Relaxed) > REVOCATIONS, "guards did accept tokens before they were revoked");
    assert!(early.load(Ordering::Relaxed) > 0, "and some receipts came by acknowledgement");
}

async fn accepting(guards: &[Client], token: &str) -> usize {
    let mut count = 0;
    for guard in guards {
        count += usize::from(guard.verify(token).await.is_ok());
    }
    count
}

//! The Redis mirror, against a real redis-server that the test starts.

use super::{Installation, Person, eventually, file, metric};
use crate::support::{Redis, exchange, free_port};
use redis::{Commands as _, Connection};

fn mirror(port: u16, more: &str) -> String {
    format!("[redis_mirror]\nurl = 'redis://127.0.0.1:{port}'\n{more}\n")
}

/// The seconds it has left, once it is there.
fn comes(redis: &mut Connection, key: &str) -> i64 {
    eventually(key, || redis.ttl::<_, i64>(key).ok().filter(|seconds| *seconds != -2))
}

#[test]
fn what_is_revoked_is_there_with_its_time_and_again_after_a_flush() {
    let redis = Redis::start();
    let place = Installation::new(&mirror(redis.port, ""));
    let server = place.start(&[]);
    Person::registers(&server);
    let mut look = redis.connect();
    let (first, second) = (Person::signs_in(&server), Person::signs_in(&server));
    let keys = [format!("revoked_{}", first.sid()), format!("revoked_{}", second.sid())];
    first.signs_out();
    let seconds = comes(&mut look, &keys[0]);
    assert!((900..=960).contains(&seconds), "{seconds}");
    assert_eq!(look.get(&keys[0]), Ok("1".to_owned()));
    assert_eq!(look.exists(&keys[1]), Ok(false));

    let (): () = redis::cmd("FLUSHALL").query(&mut look).unwrap();
    assert!(comes(&mut look, &keys[0]) > 0);
    // A flush that is followed by news at once must not be hidden by it.
    let (): () = redis::cmd("FLUSHALL").query(&mut look).unwrap();
    second.signs_out();
    assert!(comes(&mut look, &keys[1]) > 0 && comes(&mut look, &keys[0]) > 0);
    // Said last of all, when nothing is missing.
    let complete = |word: &String| word.starts_with("ready ") && word.ends_with(" 2");
    eventually("complete", || look.get("revoked_mirror").ok().filter(complete));
    assert_eq!(metric(&server, "counterfoil_redis_mirror_up"), Some(1.0));
    server.stop();
}

#[test]
fn a_redis_that_was_away_catches_up_and_the_server_serves_meanwhile() {
    let redis = Redis::start();
    let place = Installation::new(&mirror(redis.port, "prefix = 'gone:'"));
    let server = place.start(&[]);
    Person::registers(&server);
    let (first, second) = (Person::signs_in(&server), Person::signs_in(&server));
    let (one, two) = (format!("gone:{}", first.sid()), format!("gone:{}", second.sid()));
    first.signs_out();
    comes(&mut redis.connect(), &one);
    let port = redis.stop();
    eventually("down", || (metric(&server, "counterfoil_redis_mirror_up") == Some(0.0)).then_some(()));
    second.signs_out();
    assert_eq!(exchange(server.address, "GET /readyz", &[], "").unwrap().status, 200);
    eventually("the lag", || (metric(&server, "counterfoil_redis_mirror_lag_events") == Some(1.0)).then_some(()));
    Person::signs_in(&server);

    let redis = Redis::on(port, "");
    let mut look = redis.connect();
    assert!(comes(&mut look, &one) > 0 && comes(&mut look, &two) > 0);
    eventually("up", || (metric(&server, "counterfoil_redis_mirror_up") == Some(1.0)).then_some(()));
    assert_eq!(metric(&server, "counterfoil_redis_mirror_lag_events"), Some(0.0));
    server.stop();
}

#[test]
fn entries_of_before_a_start_are_there_after_it_and_the_password_comes_from_a_file() {
    let redis = Redis::on(free_port(), "a password");
    let folder = tempfile::tempdir().unwrap();
    let password = file(folder.path(), "password", "a password\n", 0o600);
    let place = Installation::new("");
    let server = place.start(&[]);
    Person::registers(&server);
    let person = Person::signs_in(&server);
    let key = format!("revoked_{}", person.sid());
    person.signs_out();
    server.stop();
    let config = mirror(redis.port, &format!("password_file = {password:?}"));
    std::fs::write(place.path().join("counterfoil.toml"), config).unwrap();
    let server = place.start(&[]);
    assert!(comes(&mut redis.connect(), &key) > 0);
    server.stop();
}

//! Starting on a database: what is wrong is named, and nothing is changed.

use super::{Cluster, MASTER_KEY, ORIGIN, serve_refused};
use crate::support::{Postgres, Server, exchange};

fn refused(url: &str, more: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let env = [
        &[
            ("COUNTERFOIL_MASTER_KEY", MASTER_KEY),
            ("COUNTERFOIL__PUBLIC_URL", ORIGIN),
            ("COUNTERFOIL__STORE__URL", url),
        ],
        more,
    ];
    serve_refused(&folder.path().join("data"), &env.concat())
}

#[test]
fn a_wrong_url_is_named() {
    let password = refused("postgres://me:secret@localhost/x", &[]);
    assert!(password.contains("`store.url`") && password.contains("password_file"), "{password}");
    assert!(!password.contains("secret"), "S6: {password}");
    let other = refused("mysql://localhost/x", &[]);
    assert!(other.contains("expected \"postgres://"), "{other}");
    let unknown = refused("postgres://localhost/x?sslroot=1", &[]);
    assert!(unknown.contains("store.url") && unknown.contains("sslroot"), "{unknown}");
    let nobody = refused("postgres://localhost:1/x", &[]);
    assert!(nobody.contains("localhost:1") && nobody.contains("refused"), "{nobody}");
    let few = refused("postgres://localhost/x", &[("COUNTERFOIL__STORE__CONNECTIONS", "4")]);
    assert!(few.contains("store.connections") && few.contains("5 to 1000"), "{few}");
    let database = Postgres::start();
    let absent = refused(&database.url().replace("/counterfoil?", "/absent?"), &[]);
    assert!(absent.contains("\"absent\" does not exist"), "{absent}");
}

#[test]
fn every_server_on_a_database_must_know_where_people_reach_them() {
    let folder = tempfile::tempdir().unwrap();
    let said = serve_refused(&folder.path().join("data"), &[("COUNTERFOIL__STORE__URL", "postgres://localhost/x")]);
    assert!(said.contains("`public_url`"), "{said}");
}

#[test]
fn a_database_of_another_issuer_or_program_or_version_is_left_as_it_is() {
    let database = Postgres::start();
    database.psql("counterfoil", "CREATE TABLE account (id integer)");
    let said = refused(&database.url(), &[]);
    assert!(said.contains("a table `account` that is not counterfoil's"), "{said}");
    database.psql("counterfoil", "DROP TABLE account");

    let folder = tempfile::tempdir().unwrap();
    let url = database.url();
    let env = [
        ("COUNTERFOIL_MASTER_KEY", MASTER_KEY),
        ("COUNTERFOIL__PUBLIC_URL", ORIGIN),
        ("COUNTERFOIL__STORE__URL", &url),
    ];
    Server::start(&folder.path().join("data"), &env).stop();
    let said = refused(&database.url(), &[("COUNTERFOIL__PUBLIC_URL", "http://localhost:1234")]);
    assert!(said.contains(ORIGIN) && said.contains("http://localhost:1234"), "{said}");

    let said = refused(&database.url(), &[("COUNTERFOIL_MASTER_KEY", "AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")]);
    assert!(said.contains("the master key does not fit"), "{said}");

    database.psql("counterfoil", "UPDATE counterfoil_schema SET version = version + 1");
    let said = refused(&database.url(), &[]);
    assert!(said.contains("schema version") && said.contains("use a newer counterfoil"), "{said}");
    database.psql("counterfoil", "UPDATE counterfoil_schema SET version = version - 1");

    database.psql("counterfoil", "DROP TABLE superseded_handle");
    let said = refused(&database.url(), &[]);
    assert!(said.contains("no table `superseded_handle`") && said.contains("half done"), "{said}");
}

#[test]
fn a_standby_is_not_taken_for_a_primary() {
    let database = Postgres::start();
    database.psql("counterfoil", "ALTER DATABASE counterfoil SET default_transaction_read_only = on");
    let said = refused(&database.url(), &[]);
    assert!(said.contains("takes no writes"), "{said}");
}

#[test]
fn a_second_server_without_the_master_key_is_told_where_to_get_it() {
    let cluster = Cluster::start(1);
    let folder = tempfile::tempdir().unwrap();
    let env = [("COUNTERFOIL__PUBLIC_URL", ORIGIN), ("COUNTERFOIL__STORE__URL", cluster.url.as_str())];
    let said = serve_refused(&folder.path().join("data"), &env);
    assert!(said.contains("copy master.key from that server's data folder"), "{said}");
    assert!(!folder.path().join("data/master.key").exists());
}

#[test]
fn servers_that_start_together_on_an_empty_database_agree() {
    let mut cluster = Cluster::start(0);
    let (folders, env) = ((0..4).map(|n| cluster.data(n)).collect::<Vec<_>>(), cluster.env());
    let servers: Vec<Server> = std::thread::scope(|scope| {
        let started: Vec<_> = folders.iter().map(|data| scope.spawn(|| Server::start(data, &env))).collect();
        started.into_iter().map(|server| server.join().unwrap()).collect()
    });
    let keys = |server: &Server| exchange(server.address, "GET /.well-known/jwks.json", &[], "").unwrap().body;
    let first = keys(&servers[0]);
    assert!(servers.iter().all(|server| keys(server) == first));
    cluster.replicas = servers;
}

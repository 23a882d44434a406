//! A database behind TLS and a password: both are asked for, and checked.

use super::{MASTER_KEY, ORIGIN, serve_refused};
use crate::support::{Postgres, Server, exchange};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const PASSWORD: &str = "a password that nobody prints";

/// On this port of 127.0.0.1, with a certificate for `localhost` that only this test's authority vouches for.
fn server(folder: &Path, port: u16) -> Postgres {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    for (name, text) in [("cert.pem", made.cert.pem()), ("key.pem", made.signing_key.serialize_pem())] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let file = |name: &str| folder.join(name).display().to_string();
    // PostgreSQL takes a key of root's that its group may read, or its own of mode 0600.
    std::fs::set_permissions(folder.join("key.pem"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let nobody = std::process::Command::new("chown").args(["nobody", &file("key.pem")]).status().unwrap();
    assert!(nobody.success() || !rustix::process::geteuid().is_root());
    let database = Postgres::start_with(&[
        "listen_addresses=127.0.0.1",
        &format!("port={port}"),
        "ssl=on",
        &format!("ssl_cert_file={}", file("cert.pem")),
        &format!("ssl_key_file={}", file("key.pem")),
    ]);
    database.psql("counterfoil", &format!("CREATE ROLE app LOGIN PASSWORD '{PASSWORD}'"));
    database.psql("counterfoil", "GRANT ALL ON SCHEMA public TO app");
    database.ask_for_passwords();
    database
}

#[test]
fn a_database_is_spoken_to_by_whoever_knows_it_and_whom_it_knows() {
    let folder = tempfile::tempdir().unwrap();
    let port = crate::support::free_port();
    let _database = server(folder.path(), port);
    let password = folder.path().join("password");
    std::fs::write(&password, PASSWORD).unwrap();
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).unwrap();
    let (password, authority) = (password.display().to_string(), folder.path().join("cert.pem").display().to_string());
    let url = |host: &str, more: &str| format!("postgres://app@{host}:{port}/counterfoil?{more}");
    let env = |url: &str, more: &[(&'static str, String)]| -> Vec<(&'static str, String)> {
        let base = [
            ("COUNTERFOIL_MASTER_KEY", MASTER_KEY),
            ("COUNTERFOIL__PUBLIC_URL", ORIGIN),
            ("COUNTERFOIL__STORE__URL", url),
        ];
        base.into_iter().map(|(name, value)| (name, value.to_owned())).chain(more.iter().cloned()).collect()
    };
    let file = ("COUNTERFOIL__STORE__PASSWORD_FILE", password);
    let ca = ("COUNTERFOIL__STORE__CA_FILE", authority);
    let refused = |url: &str, more: &[(&'static str, String)]| {
        let env = env(url, more);
        let env: Vec<_> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let said = serve_refused(&folder.path().join("data"), &env);
        assert!(!said.contains(PASSWORD), "S6: {said}");
        said
    };
    let said = refused(&url("localhost", "sslmode=require"), std::slice::from_ref(&file));
    assert!(said.contains("certificate"), "nobody vouches for it: {said}");
    let said = refused(&url("127.0.0.1", "sslmode=require"), &[file.clone(), ca.clone()]);
    assert!(said.contains("certificate"), "it is another's: {said}");
    let said = refused(&url("localhost", "sslmode=require"), std::slice::from_ref(&ca));
    assert!(said.contains("password"), "{said}");
    let env = env(&url("localhost", "sslmode=require"), &[file, ca]);
    let env: Vec<_> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let server = Server::start(&folder.path().join("data"), &env);
    assert_eq!(exchange(server.address, "GET /readyz", &[], "").unwrap().status, 200);
}

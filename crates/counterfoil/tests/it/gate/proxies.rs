//! Real proxies in front of a real server, with the very files in `examples/`, but for the ports.

use crate::support::{EMAIL, Exchange, PASSWORD, Server, exchange, from_page, run};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const NGINX: &str = include_str!("../../../../../examples/nginx/counterfoil-gate.conf");
const CADDY: &str = include_str!("../../../../../examples/caddy/Caddyfile");

const HAPROXY: &str = include_str!("../../../../../examples/haproxy/counterfoil-gate.cfg");
const HAPROXY_LUA: &str = include_str!("../../../../../examples/haproxy/counterfoil-gate.lua");

const RULES: &str =
    r#"[{path="/public",allow="public"},{path="/admin",allow="role:admin"},{path="/form",csrf="origin-only"}]"#;

/// A proxy as a process of its own; ended when dropped.
struct Proxy(Child);

impl Drop for Proxy {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

struct Ports {
    proxy: u16,
    server: u16,
    application: u16,
}

impl Ports {
    fn put_into(&self, example: &str) -> String {
        let ports = [("8000", self.proxy), ("8080", self.server), ("3000", self.application)];
        ports.iter().fold(example.to_owned(), |text, (written, port)| {
            assert!(text.contains(written), "{written}");
            text.replace(written, &port.to_string())
        })
    }
}

fn nginx(folder: &Path, ports: &Ports) -> Command {
    std::fs::write(folder.join("gate.conf"), ports.put_into(NGINX)).unwrap();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {}/{kind};", folder.display()))
        .concat();
    let around = format!(
        "daemon off; master_process off; pid {0}/pid; events {{}}\nhttp {{ access_log off; {temporary} include {0}/gate.conf; }}",
        folder.display()
    );
    std::fs::write(folder.join("nginx.conf"), around).unwrap();
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder).arg("-c").arg(folder.join("nginx.conf")).arg("-e").arg(folder.join("error.log"));
    command
}

fn caddy(folder: &Path, ports: &Ports) -> Command {
    let handing_off = CADDY.replace("# copy_headers", "copy_headers");
    std::fs::write(folder.join("Gatefile"), ports.put_into(&handing_off)).unwrap();
    std::fs::write(folder.join("Caddyfile"), "{\n\tadmin off\n}\nimport Gatefile\n").unwrap();
    let mut command = Command::new("caddy");
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(folder.join("Caddyfile"));
    command.env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder).current_dir(folder);
    command
}

fn haproxy(folder: &Path, ports: &Ports) -> Command {
    let lua = HAPROXY_LUA.replace("8080", &ports.server.to_string());
    std::fs::write(folder.join("counterfoil-gate.lua"), lua).unwrap();
    std::fs::write(folder.join("haproxy.cfg"), ports.put_into(HAPROXY)).unwrap();
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(folder.join("haproxy.cfg")).current_dir(folder);
    command
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// An application that answers every request with its own head.
fn application() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head: Vec<String> = lines.map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
            let head = head.join("\n").to_ascii_lowercase();
            write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{head}", head.len())
                .unwrap();
        }
    });
    port
}

struct Scene {
    _folder: tempfile::TempDir,
    _proxy: Proxy,
    server: Server,
    address: SocketAddr,
    origin: String,
    data: String,
}

/// What the application was told under this name.
fn told<'a>(echo: &'a Exchange, name: &str) -> Vec<&'a str> {
    let values = echo.body.lines().filter_map(|line| line.split_once(':'));
    values
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value.trim())
        .filter(|value| !value.is_empty())
        .collect()
}

impl Scene {
    fn set(proxy: fn(&Path, &Ports) -> Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, data) = (free_port(), folder.path().join("data"));
        let origin = format!("http://localhost:{port}");
        let env = [
            ("COUNTERFOIL__PUBLIC_URL", origin.as_str()),
            ("COUNTERFOIL__TRUSTED_PROXIES", r#"["127.0.0.1/32"]"#),
            ("COUNTERFOIL__GATE__UPSTREAM_AUDIENCE", "behind"),
            ("COUNTERFOIL__GATE__RULES", RULES),
        ];
        let server = Server::start(&data, &env);
        let ports = Ports { proxy: port, server: server.address.port(), application: application() };
        let mut command = proxy(folder.path(), &ports);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("installed by .ci/tools");
        let proxy = Proxy(child);
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let listens = || TcpStream::connect(address).is_ok();
        assert!((0..1000).any(|_| listens() || {
            std::thread::sleep(Duration::from_millis(20));
            false
        }));
        let data = data.to_str().unwrap().to_owned();
        Self { _folder: folder, _proxy: proxy, server, address, origin, data }
    }

    fn ask(&self, line: &str, headers: &[(&str, &str)]) -> Exchange {
        exchange(self.address, line, headers, "").unwrap()
    }

    /// Signs in through the proxy; the cookie and the user's id.
    fn sign_in(&self) -> (String, String) {
        let added = run(
            &["user", "add", EMAIL, "--password-stdin", "--role", "editor", "--data", &self.data],
            &format!("{PASSWORD}\n"),
        );
        assert!(added.status.success());
        let body = format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}"}}"#);
        let answer = from_page(self.address, &self.origin, "POST /api/auth/login", "", &body).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        let user: Value = serde_json::from_str(&answer.body).unwrap();
        let cookie = format!("__Host-cf_access={}", answer.cookie("__Host-cf_access").unwrap());
        (cookie, user["user"]["id"].as_str().unwrap().to_ascii_lowercase())
    }
}

fn signed_out(scene: &Scene) {
    let page = scene.ask("GET /a/page?x=1", &[("Accept", "text/html,*/*")]);
    let location = format!("location: {}/login?redirect=/a/page%3fx%3d1", scene.origin);
    assert_eq!(page.status, 303);
    assert!(page.head.to_ascii_lowercase().lines().any(|line| line == location), "{}", page.head);
    let api = scene.ask("GET /a/thing", &[("Accept", "application/json")]);
    assert_eq!(api.status, 401);
    assert!(api.head.to_ascii_lowercase().contains("www-authenticate: bearer"), "{}", api.head);
    let bound = scene.ask("GET /a/thing", &[("Authorization", "DPoP a.b.c"), ("DPoP", "no-proof")]);
    assert_eq!(bound.status, 401);
    assert!(bound.head.to_ascii_lowercase().contains("dpop-nonce: "), "DPOP-8: {}", bound.head);
    for line in ["POST /a/page", "OPTIONS /a/page", "DELETE /a/page"] {
        assert!(matches!(scene.ask(line, &[]).status, 401 | 403), "{line}");
    }
    let socket = [("Upgrade", "websocket"), ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")];
    assert!(matches!(scene.ask("GET /a/socket", &socket).status, 401 | 403));
    for (name, value) in [
        ("X-Forwarded-Uri", "/public"),
        ("X-Original-URI", "/public"),
        ("X-Original-Method", "GET"),
        ("X-User-Id", "mallory"),
        ("X-Forwarded-For", "127.0.0.1"),
    ] {
        assert!(matches!(scene.ask("GET /a/thing", &[(name, value)]).status, 401 | 403), "{name}");
    }
    for path in
        ["/public/../a", "/public/%2e%2e/a", "/public//a", "/public;/../a", "/public%2f..%2fa", "/public/..%5ca"]
    {
        let status = scene.ask(&format!("GET {path}"), &[]).status;
        assert!(matches!(status, 400 | 401 | 403), "{path}: {status}");
    }
    let public = scene.ask("GET /public/x", &[("X-User-Id", "mallory"), ("Authorization", "Bearer made-up")]);
    assert_eq!(public.status, 200);
    assert!(!public.body.contains("mallory") && told(&public, "authorization").is_empty(), "{}", public.body);
}

fn signed_in(scene: &Scene, cookie: &str, user: &str) {
    let spoofed = [
        ("Cookie", cookie),
        ("X-User-Id", "mallory"),
        ("x-user-id", "mallory"),
        ("X-USER-ROLES", "mallory"),
        ("X-Session-Id", "mallory"),
        ("X-Auth-Location", "mallory"),
    ];
    let echo = scene.ask("GET /a/thing?q=1", &spoofed);
    assert_eq!(echo.status, 200);
    assert!(echo.body.starts_with("get /a/thing?q=1 ") && !echo.body.contains("mallory"), "{}", echo.body);
    assert_eq!((told(&echo, "x-user-id"), told(&echo, "x-user-roles")), (vec![user], vec!["editor"]));
    assert_eq!(told(&echo, "x-session-id").len(), 1);
    assert!(told(&echo, "authorization")[0].starts_with("bearer ey"), "the token handed off");
    for name in ["X_User_Id", "X-User_Id", "x.user.id", "X_USER_ROLES", "X-Forwarded-User", "Remote_User"] {
        let answer = scene.ask("GET /a/thing", &[("Cookie", cookie), (name, "mallory")]);
        assert!(matches!(answer.status, 200 | 403) && !answer.body.contains("mallory"), "{name}: {}", answer.body);
    }
    let dropped = scene.ask("GET /a/thing", &[("Cookie", cookie), ("Connection", "close, X-User-Id")]);
    assert!(dropped.status == 400 || told(&dropped, "x-user-id") == [user], "{}", dropped.body);
    assert_eq!(scene.ask("GET /admin/x", &[("Cookie", cookie)]).status, 403);
    assert_eq!(scene.ask("GET /a/../admin", &[("Cookie", cookie)]).status, 403);

    let post = |origin: &str| from_page(scene.address, origin, "POST /a/thing", cookie, "{}").unwrap();
    assert_eq!(told(&post(&scene.origin), "x-user-id"), [user]);
    assert_eq!(post("https://evil.example").status, 403);
    let form =
        |path: &str, origin: &str| scene.ask(&format!("POST {path}"), &[("Cookie", cookie), ("Origin", origin)]).status;
    assert_eq!((form("/form", &scene.origin), form("/form", "null"), form("/a", &scene.origin)), (200, 403, 403));
}

fn story(proxy: fn(&Path, &Ports) -> Command) {
    let scene = Scene::set(proxy);
    signed_out(&scene);
    let (cookie, user) = scene.sign_in();
    signed_in(&scene, &cookie, &user);
    assert!(run(&["user", "ban", EMAIL, "--data", &scene.data], "").status.success());
    assert_eq!(scene.ask("GET /a/thing", &[("Cookie", &cookie)]).status, 401, "at the very next request");
    let Scene { _folder, _proxy, server, address, .. } = scene;
    server.kill();
    for path in ["/a/thing", "/public/x"] {
        let answer = exchange(address, &format!("GET {path}"), &[("Cookie", &cookie)], "").unwrap();
        assert!(answer.status >= 500, "{path}: {}", answer.status);
    }
}

#[test]
fn atk35_nginx_with_the_example_as_it_stands() {
    story(nginx);
}

#[test]
fn atk35_haproxy_with_the_example_as_it_stands() {
    story(haproxy);
}

#[test]
fn atk35_caddy_with_the_example_as_it_stands() {
    story(caddy);
}

//! An application as a value, browsers with cookie jars, and servers as processes.

pub(crate) mod authenticator;
mod browser;
mod http_client;
pub(crate) mod mail_server;
pub(crate) mod mmdb;
mod postgres;
mod redis;
pub(crate) mod secrets;
mod server;
mod test_app;
pub(crate) mod written;

pub(crate) use self::redis::{Redis, free_port};
pub(crate) use browser::{Answer, Browser, noted};
pub(crate) use http_client::{Exchange, begin, exchange, from_page};
pub(crate) use postgres::Postgres;
pub(crate) use server::{BINARY, Server, in_namespace, run, run_in};
pub(crate) use test_app::{MASTER, TestApp};

pub(crate) const EMAIL: &str = "ada@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// Runs futures at the same time, each in its own task, and returns what they give in their order.
pub(crate) async fn all<F>(futures: impl Iterator<Item = F>) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let tasks: Vec<_> = futures.map(tokio::spawn).collect();
    let mut outputs = Vec::new();
    for task in tasks {
        outputs.push(task.await.unwrap());
    }
    outputs
}

//! Hello against hello: two processes of one program must come out equal, or no other ratio here means anything.

use anyhow::Result;

use super::Bench;
use crate::report::Row;
use crate::server::Authority;
use crate::turns::alternate;

/// The ratio of two equals.
pub(super) async fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let twin = Authority::hello(bench.cores.server, &bench.scratch.join("twin.log"))?;
    let mut ours = bench.load_hello(&twin).await?;
    let comparison = alternate("control", bench.options.slices, &mut ours, &mut bench.hello().await?).await?;
    let mut signing = bench.load_hello_at(&twin, "/sign").await?;
    let signed = alternate("signing", bench.options.slices, &mut signing, &mut bench.hello().await?).await?;
    Ok(vec![
        Row::comparison("hello against hello (the method itself; 1.00 is right)", "/s", &comparison, None),
        Row::comparison("hello that makes one Ed25519 signature an answer, and nothing else", "/s", &signed, None),
    ])
}

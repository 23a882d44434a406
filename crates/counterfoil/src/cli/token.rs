//! Placeholder
#[derive(clap::Subcommand)]
pub(crate) enum TokenCommand {
    /// x
    Inspect,
}
pub(crate) fn run(
    _c: TokenCommand,
    _o: &mut impl std::io::Write,
    _n: counterfoil_core::Timestamp,
) -> anyhow::Result<std::process::ExitCode> {
    Ok(std::process::ExitCode::SUCCESS)
}

//! The program.

/// Many small, short-lived allocations from several threads are what this program does. Without transparent huge pages (`no_thp`): an idle
/// server would hold five of them, nearly empty, and a busy one is no faster by them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    counterfoil::cli::run()
}

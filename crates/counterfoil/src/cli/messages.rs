//! `counterfoil messages`: what the pages say, to be translated, and how far a translation is.

use crate::words::{BUILT_IN, Languages};
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

/// Which messages.
#[derive(Args)]
pub(crate) struct MessagesArgs {
    /// Look into the files of this folder instead: what is wrong with them, and what they do not say yet.
    #[arg(long, value_name = "DIR")]
    check: Option<PathBuf>,
}

pub(crate) fn run(args: &MessagesArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let Some(folder) = &args.check else {
        out.write_all(BUILT_IN.as_bytes())?;
        return Ok(());
    };
    let languages = Languages::load(Some(folder))?;
    for words in languages.others() {
        let (missing, all) = (words.missing(), words.count());
        writeln!(out, "{}: {} of {all} messages", words.tag(), all - missing.len())?;
        for name in missing {
            writeln!(out, "  {name}")?;
        }
    }
    Ok(())
}

//! `counterfoil doctor`: says what it will send, has it sent, and prints what was found.

use super::wrapped::write_wrapped;
use crate::clock::SystemClock;
use crate::doctor::{
    Account, EACH_WITHIN, MAX_BODY, MOST_REQUESTS, Options, Paths, Section, SignInApi, TOTAL_WITHIN, Verdict, examine,
    observe,
};
use anyhow::{Context as _, ensure};
use clap::Args;
use counterfoil_core::Secret;
use serde::Serialize;
use std::io::{IsTerminal as _, Write};
use std::process::ExitCode;
use std::sync::Arc;
use url::Url;

/// How the site could not be examined at all.
const NOT_EXAMINED: u8 = 2;

/// Which site, and what is known of it.
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct DoctorArgs {
    /// The site's address, such as `https://app.example.com`.
    url: String,
    /// Send sign-ins with made-up addresses too, without asking. Else this is asked at a terminal, and left out where there is none.
    #[arg(long)]
    yes: bool,
    /// Its sign-in page, if it is not among the usual ones.
    #[arg(long, value_name = "PATH")]
    sign_in: Option<String>,
    /// Where sign-ins are sent, if the page has no form that says so.
    #[arg(long, value_name = "PATH")]
    login_api: Option<String>,
    /// The names of a sign-in's two fields.
    #[arg(long, value_name = "EMAIL,PASSWORD", requires = "login_api", default_value = "email,password")]
    fields: String,
    /// Sign-ins are sent as a form, not as JSON.
    #[arg(long, requires = "login_api")]
    form: bool,
    /// Where one signs out, if it is not `logout` beside the sign-in.
    #[arg(long, value_name = "PATH")]
    sign_out: Option<String>,
    /// Where tokens are refreshed, if it is not `refresh` beside the sign-in.
    #[arg(long, value_name = "PATH")]
    refresh: Option<String>,
    /// What only somebody who is signed in may read, if it is not `me` beside the sign-in.
    #[arg(long, value_name = "PATH")]
    who: Option<String>,
    /// Where a forgotten password is told.
    #[arg(long, value_name = "PATH")]
    forgot: Option<String>,
    /// An address that has an account, to compare with made-up ones. It gets a mail about a forgotten password, if the site sends any,
    /// and `--tries` wrong sign-ins.
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Read that account's password from standard input, sign in, look at what is handed out, sign out, and try what was handed out
    /// again.
    #[arg(long, requires = "email")]
    password_stdin: bool,
    /// How often each address is tried with a wrong password, at most 5.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=5))]
    tries: u32,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: DoctorArgs) -> ExitCode {
    match examined(&args).await {
        Ok(code) => code,
        Err(error) => {
            // Nobody is left to tell when standard error is gone.
            drop(writeln!(std::io::stderr(), "not examined: {error:#}"));
            ExitCode::from(NOT_EXAMINED)
        }
    }
}

async fn examined(args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let options = options(args)?;
    let site = options.url.origin().ascii_serialization();
    let tell = |line: &str| drop(writeln!(std::io::stderr(), "> {line}"));
    let observed = observe(&options, Arc::new(SystemClock::default()), Box::new(tell)).await;
    let observed = observed.map_err(anyhow::Error::msg)?;
    let sections = examine(&observed);
    let found = sections.iter().any(|section| section.verdict == Verdict::Wrong);
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &Report { site: &site, wrong: found, checks: &sections })?;
        writeln!(out)?;
    } else {
        write_text(&site, &sections, &mut out)?;
    }
    Ok(if found { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn options(args: &DoctorArgs) -> anyhow::Result<Options> {
    let url = Url::parse(&args.url).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
    let mut url =
        url.with_context(|| format!("{} is no address; expected one such as https://app.example.com", args.url))?;
    ensure!(
        url.username().is_empty() && url.password().is_none(),
        "the address holds a password; give it with --password-stdin"
    );
    url.set_path("/");
    url.set_query(None);
    url.set_fragment(None);
    let known = [&args.sign_in, &args.login_api, &args.sign_out, &args.refresh, &args.who, &args.forgot];
    for path in known.into_iter().flatten() {
        let own = url.join(path).is_ok_and(|joined| joined.origin() == url.origin());
        ensure!(path.starts_with('/') && own, "{path} is no path of this site; expected one such as /login");
    }
    let fields = args.fields.split_once(',').context("--fields takes two names, such as email,password")?;
    let fields = (fields.0.to_owned(), fields.1.to_owned());
    let password = args.password_stdin.then(read_password).transpose()?;
    let account = args.email.clone().zip(password).map(|(email, password)| Account { email, password });
    let posts = args.yes || agreed(args, url.origin().ascii_serialization().as_str())?;
    let paths = Paths {
        sign_in: args.sign_in.clone(),
        login_api: args.login_api.clone(),
        sign_out: args.sign_out.clone(),
        refresh: args.refresh.clone(),
        who: args.who.clone(),
        forgot: args.forgot.clone(),
    };
    let api = args.login_api.is_some().then_some(SignInApi { fields, form: args.form });
    Ok(Options { url, paths, api, email: args.email.clone(), account, tries: args.tries, posts })
}

fn read_password() -> anyhow::Result<Secret<String>> {
    let text = std::io::read_to_string(std::io::stdin()).context("cannot read the password")?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Says what will be sent, and asks for a yes where somebody can give it.
fn agreed(args: &DoctorArgs, site: &str) -> anyhow::Result<bool> {
    let mut error = std::io::stderr().lock();
    writeln!(error, "Only for sites that you may test. {site} gets at most {MOST_REQUESTS} requests, one at a time.")?;
    if args.password_stdin || !std::io::stdin().is_terminal() {
        writeln!(error, "Without --yes nothing but GET and OPTIONS is sent.")?;
        return Ok(false);
    }
    write!(error, "Send wrong sign-ins with made-up addresses at example.com too? [y/N] ")?;
    error.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// The machine form.
#[derive(Serialize)]
struct Report<'a> {
    site: &'a str,
    wrong: bool,
    checks: &'a [Section],
}

fn write_text(site: &str, sections: &[Section], out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "{site}")?;
    for section in sections {
        writeln!(out, "\n{:<13}{}", section.check, word(section.verdict))?;
        for finding in &section.findings {
            let label = format!("  {:<8}{:<13}", word(finding.verdict), finding.id);
            write_wrapped(&label, &finding.seen, out)?;
            for (mark, text) in
                [("why: ", finding.why), ("fix: ", finding.fix)].iter().filter(|(_, text)| !text.is_empty())
            {
                write_wrapped(&format!("{:23}{mark}", ""), text, out)?;
            }
        }
    }
    let count =
        |verdict| sections.iter().flat_map(|section| &section.findings).filter(|one| one.verdict == verdict).count();
    let [wrong, notes, unseen] = [Verdict::Wrong, Verdict::Note, Verdict::Unseen].map(count);
    writeln!(out, "\n{wrong} wrong, {notes} to note, {unseen} not seen from here.")
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fine => "ok",
        Verdict::Unseen => "unseen",
        Verdict::Note => "note",
        Verdict::Wrong => "WRONG",
    }
}

/// Kept here so that the bounds that `--help` tells are the bounds that hold.
pub(super) fn bounds() -> String {
    format!(
        "Sends at most {MOST_REQUESTS} requests, one at a time, in at most {} seconds, {} s each; reads at most {} kB of an answer. Use it only on \
         sites that you may test.",
        TOTAL_WITHIN.as_secs(),
        EACH_WITHIN.as_secs(),
        MAX_BODY / 1024
    )
}

//! The checks: each a pure function of what was observed, in a file of its own, with the cases in which it fires beside it.

mod clock;
mod cookies;
mod cors;
mod counterfoil;
mod csrf;
mod enumeration;
mod headers;
mod keys;
mod leaks;
mod limits;
mod metadata;
mod redirect;
mod sign_out;
mod tls;

use super::Finding;
use super::observed::Observed;

/// A check.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    /// The requirements that it may find violated, or worth a note.
    pub(crate) ids: &'static [&'static str],
    pub(crate) run: fn(&Observed) -> Vec<Finding>,
}

/// All of them, in the order of the report.
pub(crate) const CHECKS: [Check; 14] = [
    Check { name: "tls", ids: &["ASVS-12.2.1", "ASVS-3.4.1", "ASVS-12.2.2", "ASVS-12.1.1"], run: tls::check },
    Check {
        name: "cookies",
        ids: &["ASVS-3.3.4", "ASVS-3.3.1", "ASVS-3.3.2", "ASVS-3.3.3", "CK-5.7b", "CK-5.7a", "CK-5.5", "NIST-5.1.1"],
        run: cookies::check,
    },
    Check {
        name: "headers",
        ids: &["ASVS-3.4.3", "SEC-4.16", "ASVS-3.4.4", "SEC-4.2", "ASVS-14.3.2", "TOK-1"],
        run: headers::check,
    },
    Check { name: "cors", ids: &["CSRF-5", "ASVS-3.4.2"], run: cors::check },
    Check { name: "csrf", ids: &["CSRF-4", "FM-2"], run: csrf::check },
    Check { name: "sign-out", ids: &["CSRF-1", "ASVS-7.4.1"], run: sign_out::check },
    Check { name: "keys", ids: &["JWK-9", "JWA-3.3", "JWT-BCP-3.1c"], run: keys::check },
    Check { name: "metadata", ids: &["MD-1"], run: metadata::check },
    Check { name: "clock", ids: &["JWT-4.1.4"], run: clock::check },
    Check { name: "redirect", ids: &["ATK-40"], run: redirect::check },
    Check { name: "enumeration", ids: &["ATK-39", "ASVS-6.3.8"], run: enumeration::check },
    Check { name: "limits", ids: &["ASVS-6.3.1"], run: limits::check },
    Check { name: "leaks", ids: &["ASVS-16.5.1", "ASVS-13.4.6", "ASVS-14.2.1", "BBA-8", "T1"], run: leaks::check },
    Check { name: "counterfoil", ids: &["ASVS-13.4.5", "ATK-35", "CSRF-1"], run: counterfoil::check },
];

#[cfg(test)]
mod tests;

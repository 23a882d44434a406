//! Collects findings: bounded, without repetition, errors first.

use super::{Finding, Severity};

/// More than this many findings tell nobody anything new.
const MAX_FINDINGS: usize = 100;

#[derive(Default)]
pub(super) struct Notes {
    findings: Vec<Finding>,
    dropped: usize,
}

impl Notes {
    pub(super) fn error(&mut self, id: &'static str, message: impl Into<String>, fix: &'static str) {
        self.add(Finding { severity: Severity::Error, id, message: message.into(), fix });
    }

    pub(super) fn warning(&mut self, id: &'static str, message: impl Into<String>, fix: &'static str) {
        self.add(Finding { severity: Severity::Warning, id, message: message.into(), fix });
    }

    pub(super) fn note(&mut self, id: &'static str, message: impl Into<String>, fix: &'static str) {
        self.add(Finding { severity: Severity::Note, id, message: message.into(), fix });
    }

    fn add(&mut self, finding: Finding) {
        if self.findings.len() >= MAX_FINDINGS {
            self.dropped += 1;
        } else if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    pub(super) fn into_findings(mut self) -> Vec<Finding> {
        if self.dropped > 0 {
            let message = format!("{} further findings are not shown", self.dropped);
            let fix = "repair what is shown and inspect again";
            // An error, because an error may be among those left out.
            self.findings.push(Finding { severity: Severity::Error, id: "ATK-21", message, fix });
        }
        self.findings.sort_by_key(|finding| finding.severity);
        self.findings
    }
}

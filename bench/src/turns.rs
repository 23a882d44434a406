//! Taking turns: A and B alternate in short slices on the same core, so that a drift of its speed meets both.

use anyhow::{Context, Result};

use crate::cpu::Usage;
use crate::stats::{Samples, float};

/// What one slice showed.
#[derive(Debug)]
pub(crate) struct Turn {
    /// The figure: a rate, or a latency.
    pub(crate) value: f64,
    /// Who used the machine meanwhile.
    pub(crate) usage: Usage,
    /// Answers other than the wanted one; they are not in the figure.
    pub(crate) refused: u64,
    /// The first of them.
    pub(crate) complaint: Option<String>,
}

/// One side of a comparison.
pub(crate) trait Side {
    /// Measures for at most a second.
    async fn take_turn(&mut self) -> Result<Turn>;
}

/// All slices of one side.
#[derive(Debug)]
pub(crate) struct Series {
    /// The figures.
    pub(crate) values: Samples,
    /// Who used the machine meanwhile, on average.
    pub(crate) usage: Usage,
    /// Unwanted answers, in all.
    pub(crate) refused: u64,
    /// The first of them.
    pub(crate) complaint: Option<String>,
}

/// Both sides of a comparison.
#[derive(Debug)]
pub(crate) struct Comparison {
    /// What is measured.
    pub(crate) subject: Series,
    /// What it is measured against.
    pub(crate) baseline: Series,
}

impl Comparison {
    /// The ratio of the medians.
    pub(crate) fn ratio(&self) -> f64 {
        self.subject.values.median() / self.baseline.values.median()
    }
}

/// Runs `slices` turns of each side after one of each that does not count. Who goes first changes every round, so that
/// a steady drift favours nobody.
pub(crate) async fn alternate(
    label: &str,
    slices: u32,
    subject: &mut impl Side,
    baseline: &mut impl Side,
) -> Result<Comparison> {
    eprintln!("  {label}: {slices} slices of each side");
    subject.take_turn().await.with_context(|| format!("{label}, warming up"))?;
    baseline.take_turn().await.with_context(|| format!("{label}, warming up the other side"))?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..slices {
        if round % 2 == 0 {
            ours.push(subject.take_turn().await.with_context(|| label.to_owned())?);
            theirs.push(baseline.take_turn().await.with_context(|| label.to_owned())?);
        } else {
            theirs.push(baseline.take_turn().await.with_context(|| label.to_owned())?);
            ours.push(subject.take_turn().await.with_context(|| label.to_owned())?);
        }
    }
    let comparison = Comparison { subject: collect(ours)?, baseline: collect(theirs)? };
    eprintln!("  {label}: ratio {:.3}", comparison.ratio());
    Ok(comparison)
}

fn collect(turns: Vec<Turn>) -> Result<Series> {
    let values = Samples::new(turns.iter().map(|turn| turn.value).collect()).context("a side took no turn")?;
    let mean =
        |share: fn(&Usage) -> f64| turns.iter().map(|turn| share(&turn.usage)).sum::<f64>() / float(turns.len() as u64);
    let usage = Usage {
        server: mean(|usage| usage.server),
        load: mean(|usage| usage.load),
        others: mean(|usage| usage.others),
    };
    let refused = turns.iter().map(|turn| turn.refused).sum();
    let complaint = turns.into_iter().find_map(|turn| turn.complaint);
    Ok(Series { values, usage, refused, complaint })
}

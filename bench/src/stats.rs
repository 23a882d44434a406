//! Order statistics, and numbers as people read them.

/// Measurements of one thing, never empty.
#[derive(Debug, Clone)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    /// Takes measurements, sorted or not; `None` if there are none.
    pub(crate) fn new(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        (!values.is_empty()).then_some(Self(values))
    }

    /// The median; of an even number, the mean of the middle two.
    pub(crate) fn median(&self) -> f64 {
        let middle = self.0.len() / 2;
        if self.0.len() % 2 == 1 { self.0[middle] } else { f64::midpoint(self.0[middle - 1], self.0[middle]) }
    }

    /// The least value such that `percent` of a hundred are no larger (nearest rank).
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.0.len() * percent).div_ceil(100);
        self.0[rank.clamp(1, self.0.len()) - 1]
    }

    /// The smallest.
    pub(crate) fn min(&self) -> f64 {
        self.0[0]
    }

    /// The largest.
    pub(crate) fn max(&self) -> f64 {
        self.0[self.0.len() - 1]
    }
}

/// A count as a float: exact below 2^53, and nothing here comes near.
#[expect(clippy::cast_precision_loss, reason = "counts of a few minutes stay far below 2^53")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

/// About three significant figures: `61,234`, `612`, `61.2`, `0.612`.
pub(crate) fn figure(value: f64) -> String {
    let decimals = match value.abs() {
        0.0 => 0,
        small if small < 1.0 => 3,
        small if small < 10.0 => 2,
        small if small < 100.0 => 1,
        _ => 0,
    };
    let plain = format!("{value:.decimals$}");
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if fraction.is_empty() { grouped } else { format!("{grouped}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::{Samples, figure};

    fn samples(values: &[f64]) -> Samples {
        Samples::new(values.to_vec()).expect("not empty")
    }

    #[test]
    fn the_median_stands_in_the_middle() {
        assert!((samples(&[3.0, 1.0, 2.0]).median() - 2.0).abs() < 1e-9);
        assert!((samples(&[4.0, 1.0, 2.0, 3.0]).median() - 2.5).abs() < 1e-9);
        assert!(Samples::new(Vec::new()).is_none());
    }

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let hundred = samples(&(1..=100).map(f64::from).collect::<Vec<_>>());
        assert!((hundred.percentile(99) - 99.0).abs() < 1e-9);
        assert!((samples(&[7.0]).percentile(99) - 7.0).abs() < 1e-9);
    }

    #[test]
    fn figures_keep_about_three_digits() {
        let shown: Vec<_> = [61_234.4, 612.3, 61.23, 6.123, 0.6123, 0.0, 1_000_000.0].map(figure).to_vec();
        assert_eq!(shown, ["61,234", "612", "61.2", "6.12", "0.612", "0", "1,000,000"]);
    }
}

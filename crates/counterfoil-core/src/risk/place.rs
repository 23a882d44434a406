//! Where somebody is, as far as a network tells, and what counts as the same place.
//!
//! Networks change without anybody's moving: a telephone gets another address of its carrier at each mast, a household another IPv6
//! prefix each night (RFC 8981), a browser uses whichever of IPv4 and IPv6 answers first. None of that is new.

use counterfoil_guard::Timestamp;
use std::net::IpAddr;

/// Faster than any airliner.
const FASTEST_KM_H: f64 = 1000.0;

/// Nearer than this nothing is said: a data set is often wrong by as much.
const LEAST_KM: f64 = 500.0;

/// The radius of the Earth.
const EARTH_KM: f64 = 6371.0;

/// A place, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spot {
    /// An address in its network; none where it says nothing: this machine, the command line, a network that is trusted.
    pub address: Option<IpAddr>,
    /// The number of the autonomous system that the network belongs to: a carrier, a company.
    pub system: Option<u32>,
    /// Its country (ISO 3166).
    pub country: Option<String>,
    /// Where on Earth.
    pub point: Option<Point>,
}

/// A point on Earth, in degrees, and by how many kilometres it may be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// North is positive.
    pub latitude: f64,
    /// East is positive.
    pub longitude: f64,
    /// In kilometres.
    pub radius: u16,
}

/// An address in a network as it is kept (`203.0.113.0/24`, `2001:db8:1::/48`); `None` for words (`local`) and for what cannot be
/// told apart by its address (private networks, this machine).
pub fn address(network: &str) -> Option<IpAddr> {
    let (address, _) = network.split_once('/')?;
    address.parse().ok().filter(says_something)
}

/// Whether an address says where somebody is.
pub fn says_something(address: &IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => !(v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4.is_unspecified()),
        IpAddr::V6(v6) => {
            !(v6.is_loopback() || v6.is_unspecified() || v6.is_unique_local() || v6.is_unicast_link_local())
        }
    }
}

/// Whether two networks are as good as one: the same /16 (IPv4) or /32 (IPv6, what a provider has), the same autonomous system, or,
/// where that is not known of both, the same country.
pub fn is_near(one: &Spot, other: &Spot) -> bool {
    let (Some(a), Some(b)) = (one.address, other.address) else { return true };
    let block = match (a.to_canonical(), b.to_canonical()) {
        (IpAddr::V4(a), IpAddr::V4(b)) => a.octets()[..2] == b.octets()[..2],
        (IpAddr::V6(a), IpAddr::V6(b)) => a.segments()[..2] == b.segments()[..2],
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    };
    let same_system = match (one.system, other.system) {
        (Some(a), Some(b)) => a == b,
        _ => one.country.is_some() && one.country == other.country,
    };
    block || same_system
}

/// How many kilometres an hour somebody would have had to travel, if that is more than anybody can: what a data set may be wrong by
/// is taken off first. A carrier's or a company's own network says nothing: it comes out wherever it likes.
pub fn impossible_speed(from: &Spot, left: Timestamp, to: &Spot, arrived: Timestamp) -> Option<u32> {
    let (a, b) = (from.point?, to.point?);
    if from.system.is_some() && from.system == to.system {
        return None;
    }
    let distance = at_least(a, b);
    // A minute at least: two clocks may differ.
    let hours = (arrived.since(left).as_secs_f64() / 3600.0).max(1.0 / 60.0);
    let speed = distance / hours;
    (distance > LEAST_KM && speed > FASTEST_KM_H).then(|| whole(speed))
}

/// Whether two places are no further from each other than a data set may be wrong by.
pub fn is_close(one: &Spot, other: &Spot) -> bool {
    one.point.zip(other.point).is_some_and(|(a, b)| at_least(a, b) <= LEAST_KM)
}

/// How far two points are from each other at the least.
fn at_least(a: Point, b: Point) -> f64 {
    distance(a, b) - f64::from(a.radius) - f64::from(b.radius)
}

/// The great circle between two points (haversine).
fn distance(a: Point, b: Point) -> f64 {
    let (phi_a, phi_b) = (a.latitude.to_radians(), b.latitude.to_radians());
    let half = |from: f64, to: f64| ((to - from).to_radians() / 2.0).sin().powi(2);
    let h = half(a.latitude, b.latitude) + phi_a.cos() * phi_b.cos() * half(a.longitude, b.longitude);
    2.0 * EARTH_KM * h.clamp(0.0, 1.0).sqrt().asin()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is clamped to what fits")]
fn whole(speed: f64) -> u32 {
    speed.clamp(0.0, 1_000_000.0) as u32
}

/// Whether two devices in words may be one: the same browser on systems that a browser takes for one another, as "request the desktop
/// site" makes it do.
pub fn is_same_device(one: &str, other: &str) -> bool {
    let parts = |text: &str| {
        let (browser, system) = text.split_once(" on ").unwrap_or((text, ""));
        (browser.to_owned(), family(system).to_owned())
    };
    one == other || parts(one) == parts(other)
}

/// Said of a client that does not say what it is, or nothing that is known here.
pub const UNKNOWN_DEVICE: &str = "Unknown device";

/// Whether two devices in words may be one: also where either has not said what it is, as programs and servers between do. Whoever wants to
/// hide copies the words of the other; that he says nothing tells nothing.
pub fn may_be_same_device(one: &str, other: &str) -> bool {
    [one, other].contains(&UNKNOWN_DEVICE) || is_same_device(one, other)
}

fn family(system: &str) -> &str {
    match system {
        "iPhone" | "iPad" | "macOS" => "Apple",
        "Android" | "Linux" | "ChromeOS" => "Linux",
        other => other,
    }
}

//! Where networks are, by files in `MaxMind`'s format. Nothing is asked of anybody.

use super::file::Watched;
use crate::config::{ConfigError, RiskConfig};
use counterfoil_core::risk::place::{Point, Spot};
use maxminddb::Reader;
use serde::Deserialize;
use std::net::IpAddr;
use std::path::Path;

/// A file in memory.
type Database = Reader<Vec<u8>>;

/// Said of a place whose radius the file does not give, in kilometres.
const VAGUE: u16 = 100;

/// The files there are.
pub(super) struct Places {
    cities: Option<Watched<Database>>,
    systems: Option<Watched<Database>>,
}

/// What is read of a network; every field may be missing.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Row {
    country: Area,
    registered_country: Area,
    city: Area,
    location: Location,
    autonomous_system_number: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Area {
    iso_code: Option<String>,
    names: Names,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Names {
    en: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Location {
    latitude: Option<f64>,
    longitude: Option<f64>,
    accuracy_radius: Option<u16>,
}

impl Places {
    pub(super) fn open(config: &RiskConfig) -> Result<Self, ConfigError> {
        let open = |key, path: Option<&Path>| path.map(|path| Watched::open(key, path, read)).transpose();
        Ok(Self {
            cities: open("risk.geoip", config.geoip.as_deref())?,
            systems: open("risk.geoip_asn", config.geoip_asn.as_deref())?,
        })
    }

    pub(super) fn reread(&self) {
        for file in [&self.cities, &self.systems].into_iter().flatten() {
            file.reread();
        }
    }

    /// Where an address is, as far as the files know.
    pub(super) fn spot(&self, address: IpAddr) -> Spot {
        let (row, system) = (row(self.cities.as_ref(), address), row(self.systems.as_ref(), address));
        let Location { latitude, longitude, accuracy_radius } = row.location;
        let radius = accuracy_radius.unwrap_or(VAGUE);
        let point = latitude.zip(longitude).map(|(latitude, longitude)| Point { latitude, longitude, radius });
        Spot {
            address: Some(address),
            system: system.autonomous_system_number.or(row.autonomous_system_number),
            country: row.country.iso_code.or(row.registered_country.iso_code),
            point,
        }
    }

    /// "Berlin, Germany".
    pub(super) fn name(&self, address: IpAddr) -> Option<String> {
        let row = row(self.cities.as_ref(), address);
        let country = row.country.names.en.or(row.country.iso_code);
        let parts: Vec<String> = row.city.names.en.into_iter().chain(country).filter(|part| is_plain(part)).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// The file is the operator's, and goes on to pages all the same.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.len() <= 100 && !text.chars().any(char::is_control)
}

fn row(file: Option<&Watched<Database>>, address: IpAddr) -> Row {
    let Some(file) = file else { return Row::default() };
    let database = file.value();
    let found = database.lookup(address).and_then(|found| found.decode::<Row>());
    found
        .unwrap_or_else(|error| {
            tracing::debug!(%error, "a network cannot be looked up");
            None
        })
        .unwrap_or_default()
}

fn read(path: &Path) -> Result<Database, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    Reader::from_source(bytes).map_err(|error| format!("expected a MaxMind file (.mmdb): {error}"))
}

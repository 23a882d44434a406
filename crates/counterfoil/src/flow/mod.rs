//! What the server does, one verb per file: *load → decide → commit → answer*. Knows no HTTP.

pub mod access;
pub mod account_data;
pub mod administer;
pub mod api_keys;
pub mod assess;
pub mod authenticate;
pub mod budget;
pub mod change_email;
pub mod change_password;
pub mod clients;
pub mod counts;
pub mod delete_account;
pub mod deliver;
pub mod device;
pub mod enrol_passkey;
pub mod enrol_totp;
pub mod exchange;
pub mod factors;
pub mod gate;
pub mod guards;
pub mod import;
pub mod introspect;
pub mod keys;
pub mod legacy;
pub mod login;
pub mod look_up;
pub mod mail_link;
pub mod mail_sign_in;
pub mod me;
pub mod parties;
pub mod passkey_sign_in;
pub mod poll_stream;
pub mod proof;
pub mod publish_status;
pub mod refresh;
pub mod register;
pub mod rehash;
pub mod reset_factors;
pub mod reset_password;
pub mod restore;
pub mod revoke_token;
pub mod seal;
pub mod second_step;
pub mod sign_in;
pub mod sign_out;
pub mod sign_up;
pub mod start;
pub mod status;
pub mod step_up;
pub mod streams;
pub mod ticket;
pub mod upstream_event;
pub mod verify_audit;

use counterfoil_core::Timestamp;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use std::net::IpAddr;

/// Who is calling, as far as the network tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The client's address; none on the control socket.
    pub address: Option<IpAddr>,
    /// The device in words.
    pub device: String,
}

impl Caller {
    /// The network as it is shown and kept: coarse enough not to be a trace, fine enough to recognise.
    pub fn network(&self) -> String {
        match self.address {
            None => "local".into(),
            Some(IpAddr::V4(v4)) if v4.is_loopback() => "this machine".into(),
            Some(IpAddr::V6(v6)) if v6.is_loopback() => "this machine".into(),
            Some(IpAddr::V4(v4)) => {
                let [a, b, c, _] = v4.octets();
                format!("{a}.{b}.{c}.0/24")
            }
            Some(IpAddr::V6(v6)) => {
                let [a, b, c, ..] = v6.segments();
                format!("{a:x}:{b:x}:{c:x}::/48")
            }
        }
    }

    /// What counts as one source for rate limits: an IPv4 address, or an IPv6 /64, which is what one household gets.
    pub fn source(&self) -> String {
        match self.address {
            None => "local".into(),
            Some(IpAddr::V4(v4)) => v4.to_string(),
            Some(IpAddr::V6(v6)) => {
                let [a, b, c, d, ..] = v6.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        }
    }

    /// The beginning of an audit entry.
    pub fn audit(&self, event: Event, actor: Actor, at: Timestamp) -> AuditEntry {
        let network = self.network();
        AuditEntry { at, event, actor, user: None, sid: None, network, detail: String::new() }
    }
}

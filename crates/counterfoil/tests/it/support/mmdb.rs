//! Files in `MaxMind`'s format (version 2.0), of a few networks: a search tree over the bits of an address, the data, what the file says of
//! itself.

use ipnet::IpNet;
use serde_json::{Value, json};

/// Between the tree and the data.
const GAP: usize = 16;

/// What a bit of an address leads to.
#[derive(Clone, Copy)]
enum Next {
    Nothing,
    Node(usize),
    Data(usize),
}

/// A file that knows these networks.
pub(crate) fn mmdb(rows: &[(&str, Value)]) -> Vec<u8> {
    let mut nodes = vec![[Next::Nothing; 2]];
    let mut data = Vec::new();
    for (network, row) in rows {
        let network: IpNet = network.parse().unwrap();
        let (bits, length) = match network {
            // IPv4 lies in ::/96.
            IpNet::V4(v4) => (u128::from(v4.network().to_bits()), 96 + v4.prefix_len()),
            IpNet::V6(v6) => (v6.network().to_bits(), v6.prefix_len()),
        };
        let at = data.len();
        encode("", row, &mut data);
        let mut node = 0;
        for depth in 0..length {
            let side = usize::from(bits >> (127 - depth) & 1 == 1);
            if depth + 1 == length {
                nodes[node][side] = Next::Data(at);
                break;
            }
            node = match nodes[node][side] {
                Next::Node(next) => next,
                Next::Nothing | Next::Data(_) => {
                    nodes.push([Next::Nothing; 2]);
                    nodes[node][side] = Next::Node(nodes.len() - 1);
                    nodes.len() - 1
                }
            };
        }
    }
    let count = nodes.len();
    let value = |next: Next| match next {
        Next::Nothing => count,
        Next::Node(node) => node,
        Next::Data(at) => count + GAP + at,
    };
    let records =
        nodes.iter().flatten().flat_map(|next| u32::try_from(value(*next)).unwrap().to_be_bytes()[1..].to_vec());
    let mut file: Vec<u8> = records.collect();
    file.extend([0; GAP]);
    file.extend(data);
    file.extend(b"\xab\xcd\xefMaxMind.com");
    let about = json!({
        "binary_format_major_version": 2, "binary_format_minor_version": 0, "build_epoch": 1_800_000_000,
        "database_type": "Test-City", "description": {}, "ip_version": 6, "languages": [], "node_count": count,
        "record_size": 24,
    });
    encode("", &about, &mut file);
    file
}

/// The type is in the upper three bits of the first byte, the size in the others.
fn encode(name: &str, value: &Value, to: &mut Vec<u8>) {
    match value {
        Value::Object(fields) => {
            to.push(0xe0 | u8::try_from(fields.len()).unwrap());
            for (name, value) in fields {
                text(name, to);
                encode(name, value, to);
            }
        }
        Value::Array(items) => {
            to.extend([u8::try_from(items.len()).unwrap(), 11 - 7]);
            for item in items {
                encode("", item, to);
            }
        }
        Value::String(word) => text(word, to),
        Value::Number(number) => encode_number(name, number, to),
        other => panic!("not needed here: {other}"),
    }
}

/// Readers insist on the type that each number has.
fn encode_number(name: &str, number: &serde_json::Number, to: &mut Vec<u8>) {
    let Some(whole) = number.as_u64() else {
        to.push(0x68);
        to.extend(number.as_f64().unwrap().to_be_bytes());
        return;
    };
    match name {
        "build_epoch" => {
            to.extend([0x08, 9 - 7]);
            to.extend(whole.to_be_bytes());
        }
        "node_count" | "autonomous_system_number" => {
            to.push(0xc4);
            to.extend(u32::try_from(whole).unwrap().to_be_bytes());
        }
        _ => {
            to.push(0xa2);
            to.extend(u16::try_from(whole).unwrap().to_be_bytes());
        }
    }
}

fn text(word: &str, to: &mut Vec<u8>) {
    let length = u8::try_from(word.len()).unwrap();
    if length < 29 {
        to.push(0x40 | length);
    } else {
        to.extend([0x5d, length - 29]);
    }
    to.extend(word.as_bytes());
}

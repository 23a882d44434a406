// A file in MaxMind's format (version 2.0) that knows a few networks: a search tree over the bits of an address, the data, what the file
// says of itself.

const GAP = 16;

const text = (word) => {
  const bytes = Buffer.from(word);
  return Buffer.concat([Buffer.from(bytes.length < 29 ? [2 << 5 | bytes.length] : [2 << 5 | 29, bytes.length - 29]), bytes]);
};
const number = (type, size, value) => {
  const bytes = Buffer.alloc(size);
  if (type === 3) bytes.writeDoubleBE(value);
  else bytes.writeUIntBE(value, Math.max(0, size - 6), Math.min(size, 6));
  return Buffer.concat([Buffer.from(type < 8 ? [type << 5 | size] : [size, type - 7]), bytes]);
};
const map = (fields) => Buffer.concat([
  Buffer.from([7 << 5 | Object.keys(fields).length]),
  ...Object.entries(fields).flatMap(([name, value]) => [text(name), value]),
]);

/** The file, of rows `[IPv4 network, city, country, ISO code, latitude, longitude]`. */
export function places(rows) {
  const nodes = [[null, null]];
  const data = [];
  let length = 0;
  for (const [network, city, country, code, latitude, longitude] of rows) {
    const [address, prefix] = network.split("/");
    // IPv4 lies in ::/96.
    const bits = "0".repeat(96) + address.split(".").map((part) => Number(part).toString(2).padStart(8, "0")).join("");
    let node = 0;
    const path = [...bits.slice(0, 96 + Number(prefix))].map(Number);
    for (const side of path.slice(0, -1)) {
      if (nodes[node][side] === null) {
        nodes[node][side] = nodes.length;
        nodes.push([null, null]);
      }
      node = nodes[node][side];
    }
    nodes[node][path.at(-1)] = { at: length };
    const row = map({
      city: map({ names: map({ en: text(city) }) }),
      country: map({ iso_code: text(code), names: map({ en: text(country) }) }),
      location: map({ latitude: number(3, 8, latitude), longitude: number(3, 8, longitude), accuracy_radius: number(5, 2, 20) }),
    });
    data.push(row);
    length += row.length;
  }
  const count = nodes.length;
  const tree = Buffer.alloc(count * 6);
  nodes.flat().forEach((next, index) => {
    const value = next === null ? count : next.at === undefined ? next : count + GAP + next.at;
    tree.writeUIntBE(value, index * 3, 3);
  });
  const about = map({
    binary_format_major_version: number(5, 2, 2), binary_format_minor_version: number(5, 2, 0), build_epoch: number(9, 8, 1_800_000_000),
    database_type: text("Test-City"), description: map({}), ip_version: number(5, 2, 6), languages: Buffer.from([0, 11 - 7]),
    node_count: number(6, 4, count), record_size: number(5, 2, 24),
  });
  return Buffer.concat([tree, Buffer.alloc(GAP), ...data, Buffer.from("\xab\xcd\xefMaxMind.com", "latin1"), about]);
}

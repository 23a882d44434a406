// Proofs of possession (RFC 9449), as a client with a key makes them: docs/guides/dpop.md.

import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

export class Key {
  #private;
  #public;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    this.#private = privateKey;
    this.#public = publicKey.export({ format: "jwk" });
  }

  /** A new proof for one request: its `name`, and the `text` for the header. `token` is what goes beside it. */
  prove({ method, url, nonce, token }) {
    const name = randomUUID();
    const claims = { jti: name, htm: method, htu: url, iat: Math.floor(Date.now() / 1_000) };
    if (nonce) claims.nonce = nonce;
    if (token) claims.ath = createHash("sha256").update(token).digest("base64url");
    const input = `${part({ alg: "EdDSA", typ: "dpop+jwt", jwk: this.#public })}.${part(claims)}`;
    return { name, text: `${input}.${sign(null, Buffer.from(input), this.#private).toString("base64url")}` };
  }
}

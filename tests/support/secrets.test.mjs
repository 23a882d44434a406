// The search for secrets finds them in every form, and does not repeat them.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Secrets } from "./secrets.mjs";

const PASSWORD = 'a "quoted" pass-phrase';
const BYTES = Buffer.from(Array.from({ length: 62 }, (_, n) => 100 + n));
const TOKEN = `cfr_${BYTES.toString("base64url")}`;
const [HANDLE, MAC] = [BYTES.subarray(2, 18), BYTES.subarray(-32)];
const SIGNATURE = Buffer.from(Array.from({ length: 64 }, (_, n) => n * 3));
const ACCESS = `eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJBIn0.${SIGNATURE.toString("base64url")}`;
const CREDENTIAL = "cfg_AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

function known() {
  const secrets = new Secrets();
  secrets.body(JSON.stringify({ email: "ada@example.com", password: PASSWORD, nested: [{ access_token: ACCESS }] }));
  secrets.body("grant_type=client_credentials&client_secret=a+secret%2Fof+a+service");
  secrets.headers([["Set-Cookie", `__Secure-cf_refresh=${TOKEN}; Path=/`], ["authorization", `Bearer ${CREDENTIAL}`]]);
  return secrets;
}

function refusal(act) {
  try {
    act();
  } catch (error) {
    return error.message;
  }
  return undefined;
}

test("S6, control: what is written of a secret is found in every form, and not repeated", () => {
  const secrets = known();
  const leaks = [
    JSON.stringify({ message: "signing in", password: PASSWORD }), PASSWORD, Buffer.from(PASSWORD).toString("hex"),
    Buffer.from(PASSWORD).toString("base64"), "GET /?p=a+%22quoted%22+pass-phrase", TOKEN, MAC, MAC.toString("hex").toUpperCase(),
    `[${[...MAC].join(", ")}]`, SIGNATURE, ACCESS, CREDENTIAL.slice(4), "a secret/of a service", HANDLE, HANDLE.toString("hex"),
  ];
  for (const leak of leaks) {
    const said = refusal(() => secrets.assertNotIn("the log", Buffer.concat([Buffer.from("before "), Buffer.from(leak)])));
    assert.match(said ?? "", /a secret is written in the log: .*‹secret›/s, String(leak));
    for (const secret of [PASSWORD, TOKEN, ACCESS, CREDENTIAL.slice(4), "pass-phrase", "of a service"]) {
      assert.ok(!said.includes(secret), said);
    }
  }
  secrets.assertNotIn("the log", "ada@example.com signed in, sid=AAAAAAAAAAAAAAAAAAAAAA, cookie __Secure-cf_refresh");
});

test("S6, control: a file of a data folder that holds a secret is found; the handle and the master key are there by design", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "counterfoil-secrets-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const secrets = known();
  writeFileSync(join(folder, "master.key"), Buffer.from(PASSWORD).toString("base64url"));
  secrets.kept(folder);
  writeFileSync(join(folder, "counterfoil.db"), Buffer.concat([Buffer.from("SQLite format 3\0"), HANDLE]));
  secrets.assertNotStoredIn(folder);
  writeFileSync(join(folder, "counterfoil.db-wal"), MAC);
  assert.match(refusal(() => secrets.assertNotStoredIn(folder)) ?? "", /counterfoil\.db-wal: MAC of cookie/);
});

// The quickstarts of APIs, worked through as they are written: whoever is signed in is let in, and once the receipt of a revocation is
// there nobody is.

import assert from "node:assert/strict";
import { test } from "node:test";
import { workplace } from "./page.mjs";

for (const name of ["express", "fastify", "hono", "python"]) {
  test(`${name}: the page works as written, and a revoked session is refused when its receipt is there`, async (t) => {
    const place = await workplace(t);
    const said = await place.walk(name);
    const [signedIn, takenBack] = said.slice(-2);
    assert.match(signedIn, /^\{"user":"[\w-]{22}","session":"[\w-]{22}"\}/m, signedIn);
    assert.match(takenBack, /hello-api \([\w-]+\) refuses[\s\S]*2 of 2 verifiers confirmed it/);
    assert.match(takenBack, /"code":"session_revoked"/);
  });
}

// The quickstart of edge runtimes, worked through as it is written, in the runtime of Cloudflare's Workers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { workplace } from "./page.mjs";

test("fetch-edge: the page works as written, and a revoked session is refused when the list says so", async (t) => {
  const place = await workplace(t);
  const said = await place.walk("fetch-edge");
  const [signedIn, takenBack] = said.slice(-2);
  assert.match(signedIn, /^\{"user":"[\w-]{22}","session":"[\w-]{22}"\}/m, signedIn);
  assert.match(takenBack, /"code":"session_revoked"/);
});

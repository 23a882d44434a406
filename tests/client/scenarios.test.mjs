// The scenarios of packages/client/test, which Node runs too: with this browser's own requests, streams, signals and messages.

import assert from "node:assert/strict";
import { test } from "node:test";
import { stage } from "../browser/support.mjs";
import { bundled } from "./page.mjs";

const here = stage();

test("every scenario comes to the same in Chromium", async (t) => {
  const script = await bundled(`
    import { scenarios } from "./dist/test/scenarios/index.js";
    window.scenarios = scenarios;
  `);
  const context = await here.visitor(t);
  const page = await context.newPage();
  await page.route("**/scenarios", (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><title>scenarios</title>" }));
  // The authority of the scenarios is elsewhere, and answers within the page.
  await page.goto("/scenarios");
  await page.addScriptTag({ type: "module", content: script });
  await page.waitForFunction(() => "scenarios" in window);
  const names = await page.evaluate(() => Object.keys(window.scenarios));
  assert.ok(names.length > 100, `only ${names.length} scenarios`);
  for (const name of names) {
    await t.test(name, async () => {
      assert.equal(await page.evaluate((which) => window.scenarios[which]().then(() => "", (error) => error.stack), name), "");
    });
  }
});

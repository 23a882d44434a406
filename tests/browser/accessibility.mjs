// What axe says of a page.

import assert from "node:assert/strict";
import axe from "axe-core";

/** Axe finds nothing; `what` names the page where one test looks at several. */
export async function accessible(page, what = page.url()) {
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" ")}`);
  assert.deepEqual(found, [], what);
  assert.ok(passes.length > 10, `${what}: axe looked at the page`);
}

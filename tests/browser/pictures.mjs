// Pictures of the pages, for people to look at: kept in the folder that COUNTERFOIL_PICTURES names, as `make test` does.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { basename } from "node:path";

const FOLDER = process.env.COUNTERFOIL_PICTURES;
const THEMES = ["light", "dark"];
const WIDTHS = [390, 1280];
const HEIGHT = 844;
const FLOW = basename(process.argv[1] ?? "page").replace(/\.test\.mjs$/, "");

/**
 * Keeps a picture of the page in both themes, narrow and wide, and puts the page back as it was. It fits either window: nothing scrolls
 * sideways, which is looked at without a folder too.
 */
export async function picture(page, name) {
  const before = page.viewportSize();
  if (FOLDER) await mkdir(FOLDER, { recursive: true });
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: HEIGHT });
    const [wanted, has] = await page.evaluate(() => [innerWidth, document.documentElement.scrollWidth]);
    for (const colorScheme of FOLDER ? THEMES : []) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.screenshot({ path: `${FOLDER}/${FLOW}-${name}-${colorScheme}-${width}.png`, fullPage: true });
    }
    assert.ok(has <= wanted, `${name} scrolls sideways: ${has} > ${wanted}`);
  }
  if (FOLDER) {
    // Back to the page's own colours while nothing moves: what looks next must not see them half-way.
    await page.emulateMedia({ colorScheme: null });
    await page.evaluate(() => document.body.offsetWidth);
    await page.emulateMedia({ reducedMotion: null });
  }
  if (before) await page.setViewportSize(before);
}

// A signing key has signed for its time, and the next one follows. A guard verifies on, and is never told.

import assert from "node:assert/strict";
import { ask } from "../faults/ask.mjs";
import { until } from "../faults/until.mjs";
import { Story } from "./story.mjs";
import { World, issuedAt, keyOf } from "./world.mjs";

/** The shortest there is: the server's clock is set forward by it. */
const ROTATE_EVERY = 3_600;
/** The longest life of a token, and a minute. */
const LONGEST_LIFE = 16 * 60;

export async function keyRotation(t) {
  const story = new Story("A planned key rotation: published before it signs, kept until its last token is over", ["Authority", "API"]);
  const world = await World.begin(t, `[keys]\nrotate_every = "1h"\n`);
  await world.everyClock();
  const guard = await world.guard("api");
  const ring = new Ring(world);
  const shown = async (token) => {
    await until("the guard knows what time it is at the authority", () => guard.now() >= issuedAt(token));
    await guard.verify(token);
    story.message("Authority", "API", `a token signed by ${ring.name(keyOf(token))}: accepted`, { tone: "good" });
  };

  await ring.tell(story);
  world.pass(ROTATE_EVERY - 60);
  const before = await world.browser();
  await shown(before.access);

  world.pass(60);
  await until("the next key signs", () => ring.changed());
  story.pass("K1 has signed for its time");
  await ring.tell(story);
  const after = await world.browser();
  await shown(after.access);
  await shown(before.access);

  world.pass(LONGEST_LIFE);
  await until("the old key has retired", () => ring.changed());
  story.pass("16 minutes later: its last token is over");
  await ring.tell(story);
  await shown((await world.browser()).access);
  assert.equal((await before.refresh()).status, 200, "sessions do not hang on signing keys");
  story.note(["Authority", "API"], "no restart, nobody signed out", { tone: "good" });
  return story;
}

/** The keys by names of their own, in the order in which they came: K1, K2, K3. */
class Ring {
  #names = new Map();
  #last = "";

  constructor(world) {
    this.world = world;
  }

  name(kid) {
    assert.ok(this.#names.has(kid), `no key is called ${kid}`);
    return this.#names.get(kid);
  }

  /** Whether any key is in another state than when that was last put in words. */
  async changed() {
    return (await this.#look()) !== this.#last;
  }

  /** What each key does, and which of them the key set has. */
  async tell(story) {
    this.#last = await this.#look();
    story.note("Authority", this.#last);
    const { json } = await ask(this.world.replica.port, "GET", "/.well-known/jwks.json");
    story.note("Authority", `key set: ${json.keys.map(({ kid }) => this.name(kid)).sort().join(", ")}`);
  }

  async #look() {
    const { keys } = await this.world.replica.administer("GET", "/api/admin/keys");
    const age = ({ created_at, state }) => `${created_at} ${state}`;
    keys.sort((one, other) => age(one).localeCompare(age(other)));
    for (const { kid } of keys) if (!this.#names.has(kid)) this.#names.set(kid, `K${this.#names.size + 1}`);
    return keys.map(({ kid, state }) => `${this.name(kid)} ${state}`).sort().join(", ");
  }
}

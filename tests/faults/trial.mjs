// One scenario from its first sign-in to its last check: load and guards around the faults, then the checkers over what was seen.

import { Administrator } from "./administrator.mjs";
import { secrets } from "./ask.mjs";
import { check } from "./check.mjs";
import { atLast } from "./at_last.mjs";
import { Guard } from "./guards.mjs";
import { History } from "./history.mjs";
import { Load } from "./load.mjs";
import { measure } from "./measure.mjs";
import { RULES } from "./environment.mjs";
import { Proxy } from "./proxy.mjs";
import { Random } from "./random.mjs";
import { Service } from "./service.mjs";
import { Thief } from "./thief.mjs";
import { now, pause } from "./until.mjs";

const ACCOUNTS = 4;
const PASSWORD = "correct horse battery staple";
/** How often the guard that has no replica of its own is sent to another one. */
const WANDERS = 1_700;
/** Load before the first fault and after the last. */
const BEFORE = 2_500;
const AFTER = 2_000;
const BACK_WITHIN = 40_000;
/** A replica that knows more than its store refuses to serve, and is right: where a store forgets there is little to wait for. */
const BACK_WITHIN_IF_FORGOTTEN = 8_000;

export class Trial {
  faults = [];
  problems = [];
  history = new History();

  constructor(scenario, environment, { seconds, clients, seed, say }) {
    Object.assign(this, { scenario, environment, seconds, clients, say, random: new Random(seed) });
  }

  async run() {
    await this.#begin();
    await pause(BEFORE);
    try {
      await this.scenario.inject(this, this.environment);
      this.say("all is healed; waiting until it is whole");
      await this.environment.whole(this.scenario.breaks ? BACK_WITHIN_IF_FORGOTTEN : BACK_WITHIN);
      await Promise.all(this.guards.map((guard) => guard.ready()));
    } catch (error) {
      this.problem(`it does not come back, or the fault could not be made: ${error.message}`);
      for (const line of this.environment.lines) line.heal();
    }
    await pause(AFTER);
    const span = await this.#end();
    if (this.faults.length === 0) this.problem("no fault was made");
    const { violations, outside } = check(this.history.events, RULES);
    const measured = measure(this.history.events, span, this);
    if (outside.length > 0 && measured.longest < RULES.grace / 2) {
      this.problem(`${outside.length} refused, having had no answer for half the grace, though others were served all the time`);
    }
    return { ...this, name: this.scenario.name, breaks: this.scenario.breaks, span, violations, outside, ...measured };
  }

  async #begin() {
    const { environment, history, random } = this;
    const own = `trial-${Math.floor(now())}`;
    this.accounts = Array.from({ length: ACCOUNTS }, (_, index) => ({ email: `${own}-${index}@example.com`, password: PASSWORD }));
    for (const account of this.accounts) {
      account.id = (await environment.administer("POST", "/api/admin/users", { email: account.email, password: PASSWORD })).user.id;
    }
    const { credential } = await environment.administer("POST", "/api/admin/guards", { name: own });
    await this.#startGuards(credential);
    this.service = new Service(environment.replicas, history);
    this.stage = {
      service: this.service, history, random, origin: environment.origin, halfGrace: RULES.grace / 2,
      onToken: (sid, token) => this.guards.forEach((guard) => guard.tell({ token: [sid, token] })),
      onEnded: (sid) => this.guards.forEach((guard) => guard.tell({ ended: sid })),
    };
    const control = (replica) => environment.replicas[replica].control;
    const { apart = 0 } = this.scenario;
    if (apart > 0) this.thief = this.stage.thief = new Thief(this.stage);
    this.load = new Load(this.stage, { accounts: this.accounts, clients: this.clients, apart, control });
    this.begun = now();
    this.load.start();
    this.thief?.start();
    // Half of the accounts are left alone: nobody may be let down there.
    const governed = { environment, accounts: this.accounts.slice(ACCOUNTS / 2) };
    this.administrator = this.scenario.administrator ? new Administrator(this.stage, governed) : undefined;
    this.administrator?.start();
    await Promise.all(this.guards.map((guard) => guard.ready()));
  }

  /** One guard beside a replica, one at the end of a line, and one that a load balancer sends now here, now there. */
  async #startGuards(credential) {
    const { replicas, origin } = this.environment;
    this.guardLine = await Proxy.to(replicas[0].port);
    this.wandering = await Proxy.to(replicas[0].port);
    const ports = [replicas.at(-1).port, this.guardLine.port, this.wandering.port];
    this.guards = ports.map((port, index) => new Guard({
      name: `guard ${index}`, issuer: origin, url: `http://127.0.0.1:${port}`, credential,
      onDecision: (event) => this.history.add(event),
    }));
    for (const guard of this.guards) guard.start();
    this.wanderer = setInterval(() => {
      const replica = this.service?.pick(this.random);
      if (replica === undefined) return;
      this.wandering.target = replicas[replica].port;
      this.wandering.reset();
    }, WANDERS);
  }

  async #end() {
    const span = { begin: this.begun, end: now() };
    await this.administrator?.stop();
    await this.load.stop();
    await this.thief?.stop();
    const stuck = this.load.stuck.map(({ profile, sid, refusal }) => `${profile} ${sid} ${refusal}`);
    this.expect(`who is signed in at the end can go on, ${stuck.slice(0, 5).join(", ")}`, stuck.length === 0);
    this.say("the load has ended; looking at what is left of it");
    // Whatever was ended without a receipt must be refused everywhere by then.
    await pause(RULES.maxStaleness + RULES.margin + 500);
    clearInterval(this.wanderer);
    await this.service.close();
    for (const guard of this.guards) await guard.stop();
    for (const line of [this.guardLine, this.wandering]) line.close();
    for (const { name, log } of this.environment.replicas) this.#expectNoSecret(`the log of replica ${name}`, log);
    await atLast(this).catch((error) => this.problem(`what is left could not be looked at: ${error.message}`));
    return span;
  }

  #expectNoSecret(place, text) {
    try {
      secrets.assertNotIn(place, text);
    } catch (error) {
      this.problem(error.message);
    }
  }

  /** Makes a fault. `inject` returns in words how it was seen to have happened; without such words it has not. */
  async fault(what, inject) {
    this.say(what);
    const at = now();
    const seen = await inject();
    if (!seen) throw new Error(`"${what}" was not seen to happen`);
    this.faults.push({ what, at, seen });
  }

  /** What must be besides the invariants. */
  expect(what, holds) {
    if (!holds) this.problem(`not so: ${what}`);
  }

  problem(what) {
    this.say(`PROBLEM: ${what}`);
    this.problems.push(what);
  }

  /** Waits, with the load going on. */
  async rest(milliseconds) {
    await pause(milliseconds);
  }
}

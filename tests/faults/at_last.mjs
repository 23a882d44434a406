// What is left when the load has ended: whether what was acknowledged is still there (D1).

import { ask } from "./ask.mjs";
import { until } from "./until.mjs";

/** Adds to the history how each session and each account stands, and which rotations the store has forgotten. */
export async function atLast({ environment, history, accounts, faults }) {
  const told = history.of("signin").filter((event) => event.status === 200);
  const sids = new Set([...told, ...history.of("revoke")].map((event) => event.sid));
  const found = new Map();
  for (const { email } of accounts) {
    const { users } = await environment.administer("GET", `/api/admin/users?email=${encodeURIComponent(email)}`);
    if (!users[0]) continue;
    const { sessions } = await environment.administer("GET", `/api/admin/users/${users[0].id}/sessions`);
    for (const session of sessions) found.set(session.id, session);
  }
  for (const sid of sids) {
    const session = found.get(sid);
    history.add({ kind: "session", sid, listed: Boolean(session), ended: Boolean(session?.ended_at), reason: session?.reason });
  }
  for (const entry of await forgotten(environment, sids)) {
    history.add({ kind: "lost", sid: entry.session, at: entry.at, faults: faults.length });
  }
  const { keys } = await environment.administer("GET", "/api/admin/keys");
  for (const { kid, state } of keys) history.add({ kind: "key", kid, state });
  await signIns({ environment, history, accounts });
}

/** The audit log's words about tokens that were newer than the store, of these sessions. */
async function forgotten(environment, sids) {
  const found = [];
  let before = "";
  for (let page = 0; page < 50; page += 1) {
    const { entries } = await environment.administer("GET", `/api/admin/audit?limit=1000${before}`);
    found.push(...entries.filter((entry) => entry.event === "refresh_fast_forward" && sids.has(entry.session)));
    if (entries.length < 1_000) break;
    before = `&before=${entries.at(-1).seq}`;
  }
  return found;
}

/** Whether those who have an account can sign in. */
async function signIns({ environment, history, accounts }) {
  const { password } = accounts[0];
  const registered = history.of("register").filter((event) => event.status === 201).map((event) => event.email);
  for (const email of [...accounts.map((account) => account.email), ...registered]) {
    let answer;
    await until(`an answer to the sign-in of ${email}`, async () => {
      const place = environment.replicas[0].port;
      answer = await ask(place, "POST", "/api/auth/login", { json: { email, password, client_id: "cli" }, within: 8_000 });
      return answer.status > 0 && answer.status < 500;
    });
    history.add({ kind: "account", email, status: answer.status });
  }
}

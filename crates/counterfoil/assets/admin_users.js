// Accounts: finding one, and what can be done with it and its sessions.

const version = new URL(import.meta.url).search;
const { RECEIPT } = await import(`./refresh.js${version}`);
const { byId, confirmed, during, onSubmit, sayDone } = await import(`./form.js${version}`);
const { el, table, time } = await import(`./draw.js${version}`);

const PAGE = 50;
const SUPPORTS = ["admin", "support"];

/** The list, page by page, narrowed by the beginning of the address. */
export async function showUsers({ ask }) {
  const search = el("input", { id: "search", type: "search", autocomplete: "off", spellcheck: "false", "aria-describedby": "search-hint" });
  const list = el("div", { id: "users" });
  const more = el("button", { id: "more", type: "button", text: "Show more" });
  const found = el("p", { class: "hint", id: "search-hint", role: "status" });
  let turn = 0;
  let shown = [];

  async function next(fresh) {
    turn += 1;
    const mine = turn;
    const query = new URLSearchParams({ limit: String(PAGE) });
    const prefix = search.value.trim();
    if (prefix) query.set("q", prefix);
    const last = fresh ? undefined : shown.at(-1);
    if (last) query.set("after", prefix ? last.email : last.id);
    const answer = await ask("GET", `/api/admin/users?${query}`);
    if (answer === undefined) return false;
    // Of two searches at once only the later one is shown.
    if (mine !== turn) return true;
    shown = fresh ? answer.users : [...shown, ...answer.users];
    list.replaceChildren(shown.length > 0 ? table("Accounts", COLUMNS, shown) : el("p", { text: "No account begins with this." }));
    more.hidden = answer.users.length < PAGE;
    found.textContent = `${shown.length}${more.hidden ? "" : " and more"} ${shown.length === 1 && more.hidden ? "account" : "accounts"}`;
    return true;
  }

  search.addEventListener("input", () => during(search, () => next(true)));
  more.addEventListener("click", () => during(more, () => next(false)));
  if (!(await next(true))) return undefined;
  return [
    el("div", { class: "field search" }, el("label", { for: "search", text: "Find by the beginning of the address" }), search, found),
    list, el("div", { class: "actions" }, more),
  ];
}

const COLUMNS = [
  ["Address", (user) => el("a", { href: `/admin/users/${user.id}`, text: user.email })],
  ["Name", (user) => el("bdi", { text: user.name ?? "–" })],
  ["Roles", (user) => user.roles.join(", ") || "–"],
  ["Since", (user) => time(user.created_at, "day")],
  ["State", (user) => stateOf(user)],
];

function stateOf({ banned }) {
  if (!banned) return "Active";
  const over = banned.until && Date.parse(banned.until) <= Date.now();
  if (over) return "Active";
  return banned.until ? el("span", { class: "bad" }, "Banned until ", time(banned.until, "day")) : el("span", { class: "bad", text: "Banned" });
}

/** One account with its sessions. */
export async function showUser(tools, id) {
  const { ask, roles } = tools;
  const one = await ask("GET", `/api/admin/users/${id}`);
  if (one === undefined) return undefined;
  const { sessions } = await ask("GET", `/api/admin/users/${id}/sessions`);
  const { user } = one;
  byId("heading").textContent = user.email;
  document.title = `${user.email} · ${byId("service-name").textContent}`;
  const may = roles.some((role) => SUPPORTS.includes(role));
  return [
    facts(one),
    may && el("div", { class: "actions" }, ...actionsOf(tools, one, sessions)),
    el("h2", { text: "Sessions" }),
    sessions.length > 0 ? table("Sessions", sessionColumns(tools, may), sessions) : el("p", { text: "There are none." }),
    el("p", { class: "aside" }, el("a", { href: `/admin/audit?user=${id}`, text: "What the audit log says of this account" })),
    el("p", { class: "aside" }, el("a", { href: `/admin/risk?user=${id}`, text: "What was out of the ordinary" })),
  ].filter(Boolean);
}

function facts({ user, password, locked, passkeys, totp_since: totp, recovery_codes: codes }) {
  const ways = [
    password && "password", passkeys > 0 && `${passkeys} passkey${passkeys === 1 ? "" : "s"}`,
    totp && "authenticator app", codes > 0 && `${codes} recovery code${codes === 1 ? "" : "s"}`,
  ].filter(Boolean).join(", ");
  const rows = [
    ["Name", el("bdi", { text: user.name ?? "–" })], ["Id", el("code", { text: user.id })],
    ["Roles", user.roles.join(", ") || "–"], ["Member since", time(user.created_at, "day")],
    ["Signs in by", ways || "nothing"], ["State", stateOf(user)],
  ];
  if (user.banned?.reason) rows.push(["Reason", el("bdi", { text: user.banned.reason })]);
  if (locked) rows.push(["Password", el("span", { class: "bad", text: "Locked by too many failures" })]);
  return el("dl", { class: "facts" }, ...rows.map(([name, value]) => el("div", {}, el("dt", { text: name }), el("dd", {}, value))));
}

function actionsOf(tools, { user, locked, passkeys, totp_since: totp, recovery_codes: codes }, sessions) {
  const { ask, load, receiptWords } = tools;
  const path = `/api/admin/users/${user.id}`;
  const button = (text, action, className) => {
    const made = el("button", { type: "button", class: className, text });
    made.addEventListener("click", () => during(made, action));
    return made;
  };
  const done = async (answer, text) => {
    if (answer === undefined) return;
    await load();
    sayDone(`${text} ${receiptWords(answer)}`.trim());
    byId("heading").focus();
  };
  const alive = sessions.some((session) => !session.ended_at);
  const buttons = [];
  if (alive) {
    buttons.push(button("End all sessions", async () => {
      if (!(await confirmed("End all sessions?", `${user.email} has to sign in again on every device.`, "End all sessions"))) return;
      await done(await ask("POST", `${path}/revoke?${RECEIPT}`, {}), "All sessions are ended.");
    }));
  }
  if (locked) buttons.push(button("Unlock", async () => done(await ask("POST", `${path}/unlock`, {}), "Unlocked.")));
  if (tools.roles.includes("admin") && (passkeys > 0 || totp || codes > 0)) {
    buttons.push(button("Reset factors", async () => {
      const text = `All passkeys, the authenticator app and the recovery codes of ${user.email} are removed, and every device is signed out. Make sure first that it is them who asks.`;
      if (!(await confirmed("Reset the ways to sign in?", text, "Reset"))) return;
      await done(await ask("POST", `${path}/reset?${RECEIPT}`, {}), "The factors are removed.");
    }, "danger"));
  }
  if (user.banned) buttons.push(button("Lift the ban", async () => done(await ask("POST", `${path}/unban`, {}), "The ban is lifted.")));
  else buttons.push(button("Ban…", () => openBan(async (body) => done(await ask("POST", `${path}/ban?${RECEIPT}`, body), "Banned.")), "danger"));
  return buttons;
}

let ban = null;

function openBan(send) {
  ban = send;
  byId("ban-form").reset();
  byId("ban-dialog").showModal();
}

onSubmit(byId("ban-form"), {
  check() {
    const until = byId("ban-until");
    const past = until.value && Date.parse(until.value) <= Date.now();
    return past ? [[until, "Choose a day to come."]] : [];
  },
  async act() {
    const until = byId("ban-until").value;
    const body = { reason: byId("ban-reason").value.trim(), ...(until ? { until } : {}) };
    byId("ban-dialog").close();
    await ban(body);
  },
  place: () => null,
});
byId("ban-cancel").addEventListener("click", () => byId("ban-dialog").close());

const WHY = {
  signed_out: "Signed out", expired: "Expired", ended_by_you: "Ended by its owner", ended_by_admin: "Ended by an administrator",
  password_changed: "Password changed", suspected_theft: "A copy was used elsewhere", session_limit: "Made room for a newer one",
  deleted: "Account deleted",
};

function sessionColumns({ ask, load, receiptWords }, may) {
  const columns = [
    ["Device", (session) => el("bdi", { text: session.device || "Unknown device" })],
    ["From", (session) => (session.place ? `${session.place} (${session.network})` : session.network || "–")],
    ["Application", (session) => session.application],
    ["Signed in", (session) => time(session.created_at)],
    ["Last used", (session) => time(session.last_seen_at)],
    ["State", (session) => (session.ended_at
      ? el("span", {}, `${WHY[session.reason] ?? "Ended"}, `, time(session.ended_at)) : `${session.acr}${session.bound ? ", bound to a key" : ""}`)],
  ];
  if (!may) return columns;
  return [...columns, ["Action", (session) => {
    if (session.ended_at) return "";
    const end = el("button", { type: "button", text: "End", "aria-label": `End ${session.device || "the session"}` });
    end.addEventListener("click", () => during(end, async () => {
      const receipt = await ask("POST", `/api/admin/sessions/${session.id}/revoke?${RECEIPT}`, {});
      if (receipt === undefined) return;
      await load();
      sayDone(`Ended. ${receiptWords(receipt)}`.trim());
      byId("heading").focus();
    }));
    return end;
  }]];
}

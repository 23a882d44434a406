// Accounts: finding one, and what can be done with it and its sessions.

const version = new URL(import.meta.url).search;
const { RECEIPT } = await import(`./refresh.js${version}`);
const { byId, confirmed, during, onSubmit, sayDone } = await import(`./form.js${version}`);
const { deviceWords, inNodes, inWords, inWordsOf, listed, placeWords } = await import(`./words.js${version}`);
const { el, table, time } = await import(`./draw.js${version}`);

const PAGE = 50;
const SUPPORTS = ["admin", "support"];

/** The list, page by page, narrowed by the beginning of the address. */
export async function showUsers({ ask }) {
  const search = el("input", { id: "search", type: "search", autocomplete: "off", spellcheck: "false", "aria-describedby": "search-hint" });
  const list = el("div", { id: "users" });
  const more = el("button", { id: "more", type: "button", text: inWords("admin.more") });
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
    list.replaceChildren(shown.length > 0 ? table(inWords("admin.users.caption"), COLUMNS, shown) : el("p", { text: inWords("admin.users.none") }));
    more.hidden = answer.users.length < PAGE;
    found.textContent = inWords(more.hidden ? "admin.users.found" : "admin.users.found_more", { count: shown.length });
    return true;
  }

  search.addEventListener("input", () => during(search, () => next(true)));
  more.addEventListener("click", () => during(more, () => next(false)));
  if (!(await next(true))) return undefined;
  return [
    el("div", { class: "field search" }, el("label", { for: "search", text: inWords("admin.users.find") }), search, found),
    list, el("div", { class: "actions" }, more),
  ];
}

const COLUMNS = [
  [inWords("admin.users.address"), (user) => el("a", { href: `/admin/users/${user.id}`, text: user.email })],
  [inWords("admin.users.name"), (user) => el("bdi", { text: user.name ?? "–" })],
  [inWords("admin.users.roles"), (user) => user.roles.join(", ") || "–"],
  [inWords("admin.users.since"), (user) => time(user.created_at, "day")],
  [inWords("admin.users.state"), (user) => stateOf(user)],
];

function stateOf({ banned }) {
  if (!banned) return inWords("admin.users.active");
  const over = banned.until && Date.parse(banned.until) <= Date.now();
  if (over) return inWords("admin.users.active");
  const words = banned.until ? inNodes("admin.users.banned_until", { date: time(banned.until, "day") }) : [inWords("admin.users.banned")];
  return el("span", { class: "bad" }, ...words);
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
    el("h2", { text: inWords("admin.user.sessions") }),
    sessions.length > 0 ? table(inWords("admin.user.sessions"), sessionColumns(tools, may), sessions) : el("p", { text: inWords("admin.user.no_sessions") }),
    el("p", { class: "aside" }, el("a", { href: `/admin/audit?user=${id}`, text: inWords("admin.user.audit") })),
    el("p", { class: "aside" }, el("a", { href: `/admin/risk?user=${id}`, text: inWords("admin.user.risk") })),
  ].filter(Boolean);
}

function facts({ user, password, locked, passkeys, totp_since: totp, recovery_codes: codes }) {
  const ways = listed([
    password && inWords("admin.user.by_password"), passkeys > 0 && inWords("admin.user.by_passkeys", { count: passkeys }),
    totp && inWords("admin.user.by_app"), codes > 0 && inWords("admin.user.by_codes", { count: codes }),
  ].filter(Boolean));
  const rows = [
    ["admin.users.name", el("bdi", { text: user.name ?? "–" })], ["admin.user.id", el("code", { text: user.id })],
    ["admin.users.roles", user.roles.join(", ") || "–"], ["admin.user.member_since", time(user.created_at, "day")],
    ["admin.user.signs_in_by", ways || inWords("admin.user.by_nothing")], ["admin.users.state", stateOf(user)],
  ];
  if (user.banned?.reason) rows.push(["admin.user.reason", el("bdi", { text: user.banned.reason })]);
  if (locked) rows.push(["admin.user.password", el("span", { class: "bad", text: inWords("admin.user.locked") })]);
  return el("dl", { class: "facts" }, ...rows.map(([name, value]) => el("div", {}, el("dt", { text: inWords(name) }), el("dd", {}, value))));
}

function actionsOf(tools, { user, locked, passkeys, totp_since: totp, recovery_codes: codes }, sessions) {
  const { ask, load, receiptWords } = tools;
  const path = `/api/admin/users/${user.id}`;
  const button = (key, action, className) => {
    const made = el("button", { type: "button", class: className, text: inWords(key) });
    made.addEventListener("click", () => during(made, action));
    return made;
  };
  const done = async (answer, key) => {
    if (answer === undefined) return;
    await load();
    sayDone(`${inWords(key)} ${receiptWords(answer)}`.trim());
    byId("heading").focus();
  };
  const alive = sessions.some((session) => !session.ended_at);
  const buttons = [];
  if (alive) {
    buttons.push(button("admin.user.end_all", async () => {
      const text = inWords("admin.user.end_all_what", { account: user.email });
      if (!(await confirmed(inWords("admin.user.end_all_sure"), text, inWords("admin.user.end_all")))) return;
      await done(await ask("POST", `${path}/revoke?${RECEIPT}`, {}), "admin.user.all_ended");
    }));
  }
  if (locked) buttons.push(button("admin.user.unlock", async () => done(await ask("POST", `${path}/unlock`, {}), "admin.user.unlocked")));
  if (tools.roles.includes("admin") && (passkeys > 0 || totp || codes > 0)) {
    buttons.push(button("admin.user.reset", async () => {
      const text = inWords("admin.user.reset_what", { account: user.email });
      if (!(await confirmed(inWords("admin.user.reset_sure"), text, inWords("admin.user.reset_yes")))) return;
      await done(await ask("POST", `${path}/reset?${RECEIPT}`, {}), "admin.user.reset_done");
    }, "danger"));
  }
  if (user.banned) buttons.push(button("admin.user.unban", async () => done(await ask("POST", `${path}/unban`, {}), "admin.user.unbanned")));
  else buttons.push(button("admin.user.ban", () => openBan(async (body) => done(await ask("POST", `${path}/ban?${RECEIPT}`, body), "admin.user.banned")), "danger"));
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
    return past ? [[until, inWords("admin.ban.until_past")]] : [];
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

function sessionState({ ended_at: endedAt, reason, acr, bound }) {
  if (!endedAt) return bound ? inWords("admin.user.bound", { strength: acr }) : acr;
  const why = inWordsOf("admin.why", reason, inWords("admin.why.unknown"));
  return el("span", {}, ...inNodes("admin.user.ended", { reason: why, time: time(endedAt) }));
}

const whichToEnd = ({ device }) => (device ? inWords("admin.user.end_which", { device: deviceWords(device) }) : inWords("admin.user.end_session"));

function sessionColumns({ ask, load, receiptWords }, may) {
  const columns = [
    [inWords("admin.user.device"), (session) => el("bdi", { text: deviceWords(session.device) })],
    [inWords("admin.user.from"), (session) => placeWords(session, "–")],
    [inWords("admin.user.application"), (session) => session.application],
    [inWords("admin.user.signed_in"), (session) => time(session.created_at)],
    [inWords("admin.user.last_used"), (session) => time(session.last_seen_at)],
    [inWords("admin.users.state"), (session) => sessionState(session)],
  ];
  if (!may) return columns;
  return [...columns, [inWords("admin.action"), (session) => {
    if (session.ended_at) return "";
    const end = el("button", { type: "button", text: inWords("admin.user.end"), "aria-label": whichToEnd(session) });
    end.addEventListener("click", () => during(end, async () => {
      const receipt = await ask("POST", `/api/admin/sessions/${session.id}/revoke?${RECEIPT}`, {});
      if (receipt === undefined) return;
      await load();
      sayDone(`${inWords("admin.user.session_ended")} ${receiptWords(receipt)}`.trim());
      byId("heading").focus();
    }));
    return end;
  }]];
}

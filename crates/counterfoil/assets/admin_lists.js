// What else whoever administers looks at: applications, services, guards, keys, the audit log.

const version = new URL(import.meta.url).search;
const { RECEIPT } = await import(`./refresh.js${version}`);
const { byId, confirmed, during, sayDone } = await import(`./form.js${version}`);
const { inWords, inWordsOf, networkWords } = await import(`./words.js${version}`);
const { el, table, time } = await import(`./draw.js${version}`);

const section = (title, content, note) => [el("h2", { text: inWords(title) }), note && el("p", { class: "intro", text: note }), content].filter(Boolean);
const listed = (caption, columns, rows, none) => (rows.length > 0 ? table(inWords(caption), columns, rows) : el("p", { text: inWords(none) }));

/** Applications, services, guards, and the event streams of services. */
export async function showServices({ ask }) {
  const known = await ask("GET", "/api/admin/applications");
  if (known === undefined) return undefined;
  const [{ clients }, { guards }, { streams }] = await Promise.all(["clients", "guards", "streams"].map((of) => ask("GET", `/api/admin/${of}`)));
  return [
    ...section("admin.services.applications", listed("admin.services.applications", [
      [inWords("admin.services.name"), (one) => one.name], [inWords("admin.services.delivery"), (one) => one.profile],
      [inWords("admin.services.audience"), (one) => one.audience], [inWords("admin.services.asks_for"), (one) => one.require],
      [inWords("admin.services.origins"), (one) => one.origins.join(", ") || "–"],
    ], known.applications, "admin.services.none"), inWords("admin.services.applications_note", { count: known.max_sessions_per_user })),
    ...section("admin.services.guards", listed("admin.services.guards", [
      [inWords("admin.services.name"), (one) => one.name], [inWords("admin.services.since"), (one) => time(one.created_at, "day")],
      [inWords("admin.services.processes"), (one) => String(one.instances)], [inWords("admin.services.behind"), (one) => behind(one)],
    ], guards, "admin.services.no_guards"), inWords("admin.services.guards_note")),
    ...section("admin.services.services", listed("admin.services.services", [
      [inWords("admin.services.name"), (one) => one.client_id], [inWords("admin.services.proves_by"), (one) => one.method],
      [inWords("admin.services.since"), (one) => time(one.created_at, "day")],
      [inWords("admin.services.may_ask_for"), (one) => one.resources.join(", ") || "–"],
    ], clients, "admin.services.no_services")),
    // Nobody who has none is to wonder what they are.
    ...(streams.length === 0 ? [] : section("admin.services.streams", listed("admin.services.streams", [
      [inWords("admin.services.name"), (one) => one.client_id], [inWords("admin.services.stream"), (one) => el("code", { text: one.stream_id })],
      [inWords("admin.services.description"), (one) => el("bdi", { text: one.description || "–" })],
      [inWords("admin.services.stream_delivery"), (one) => inWordsOf("admin.stream_delivery", one.delivery, one.delivery)],
      [inWords("admin.services.stream_status"), (one) => el("span", { class: one.status !== "enabled" && "bad", text: inWordsOf("admin.stream_status", one.status, one.status) })],
      [inWords("admin.services.behind"), (one) => (one.behind === 0 ? inWords("admin.services.up_to_date") : inWords("admin.services.entries", { count: one.behind }))],
    ], streams, "admin.services.none"), inWords("admin.services.streams_note"))),
  ];
}

function behind({ instances, behind: entries }) {
  if (instances === 0) return el("span", { class: "bad", text: inWords("admin.services.accepts_nothing") });
  return entries === 0 ? inWords("admin.services.up_to_date") : inWords("admin.services.entries", { count: entries });
}

/** The signing keys. */
export async function showKeys({ ask, load, receiptWords, roles }) {
  const answer = await ask("GET", "/api/admin/keys");
  if (answer === undefined) return undefined;
  const columns = [
    [inWords("admin.keys.key"), (key) => el("code", { text: key.kid })], [inWords("admin.keys.algorithm"), (key) => key.alg],
    [inWords("admin.keys.state"), (key) => el("span", { class: key.state === "revoked" && "bad", text: inWordsOf("admin.key_state", key.state, key.state) })],
    [inWords("admin.keys.since"), (key) => time(key.since)], [inWords("admin.keys.until"), (key) => time(key.until)],
    [inWords("admin.keys.carries"), (key) => inWordsOf("admin.key_carries", key.state, key.carries)],
  ];
  if (roles.includes("admin")) {
    columns.push([inWords("admin.action"), (key) => {
      if (["revoked", "retired"].includes(key.state)) return "";
      const revoke = el("button", { type: "button", class: "danger", text: inWords("admin.keys.revoke"), "aria-label": inWords("admin.keys.revoke_which", { key: key.kid }) });
      revoke.addEventListener("click", () => during(revoke, async () => {
        const title = inWords("admin.keys.revoke_sure", { key: key.kid });
        if (!(await confirmed(title, inWords("admin.keys.revoke_what"), inWords("admin.keys.revoke")))) return;
        const receipt = await ask("POST", `/api/admin/keys/${encodeURIComponent(key.kid)}/revoke?${RECEIPT}`, {});
        if (receipt === undefined) return;
        await load();
        sayDone(`${inWords("admin.keys.revoked")} ${receiptWords(receipt)}`.trim());
        byId("heading").focus();
      }));
      return revoke;
    }]);
  }
  return [table(inWords("admin.keys.heading"), columns, answer.keys)];
}

const FILTERS = [
  ["user", "admin.audit.account_id"], ["sid", "admin.audit.session_id"], ["event", "admin.audit.event"],
  ["since", "admin.audit.since"], ["until", "admin.audit.before"],
];

/** The audit log, newest first, narrowed by what stands in the fields; the address keeps it. */
export async function showAudit({ ask }) {
  const given = new URLSearchParams(location.search);
  const inputs = FILTERS.map(([name, label]) => {
    const input = el("input", { id: `audit-${name}`, name, type: ["since", "until"].includes(name) ? "date" : "text", autocomplete: "off", spellcheck: "false" });
    input.value = given.get(name) ?? "";
    return el("div", { class: "field" }, el("label", { for: input.id, text: inWords(label) }), input);
  });
  const form = el("form", { class: "filters", method: "get", action: "/admin/audit" }, ...inputs,
    el("div", { class: "actions" }, el("button", { type: "submit", class: "primary", text: inWords("admin.audit.show") }), exported(ask, given)));
  const wanted = new URLSearchParams([...given].filter(([name, value]) => value && FILTERS.some(([known]) => known === name)));
  form.addEventListener("submit", () => {
    for (const { firstChild: _label, lastChild: input } of inputs) input.disabled = !input.value;
  });
  const list = el("div", {});
  const more = el("button", { type: "button", text: inWords("admin.more") });
  let entries = [];
  let before;
  async function next() {
    const query = new URLSearchParams(wanted);
    query.set("limit", "100");
    if (before) query.set("before", before);
    const answer = await ask("GET", `/api/admin/audit?${query}`);
    if (answer === undefined) return false;
    entries = [...entries, ...answer.entries];
    before = answer.next;
    more.hidden = !before;
    list.replaceChildren(listed("admin.audit.heading", AUDIT_COLUMNS, entries, "admin.audit.none"));
    return true;
  }
  more.addEventListener("click", () => during(more, next));
  if (!(await next())) return undefined;
  return [form, list, el("div", { class: "actions" }, more)];
}

// The request before it makes sure of a token that lives: a download renews none.
function exported(ask, wanted) {
  const button = el("button", { type: "button", text: inWords("admin.audit.export") });
  button.addEventListener("click", () => during(button, async () => {
    if (await ask("GET", "/api/admin/audit/head") === undefined) return;
    el("a", { href: `/api/admin/audit/export?${wanted}`, download: "audit.jsonl" }).click();
  }));
  return button;
}

const AUDIT_COLUMNS = [
  [inWords("admin.audit.when"), (entry) => time(entry.at)],
  [inWords("admin.audit.what"), (entry) => inWordsOf("admin.event", entry.event, entry.event.replaceAll("_", " "))],
  [inWords("admin.audit.who"), (entry) => (entry.by ? el("span", {}, `${actorWords(entry)} `, userLink(entry.by)) : actorWords(entry))],
  [inWords("admin.audit.account"), (entry) => (entry.user ? userLink(entry.user) : "–")],
  [inWords("admin.audit.session"), (entry) => (entry.session ? el("a", { href: `/admin/audit?sid=${entry.session}`, text: entry.session.slice(0, 6) }) : "–")],
  [inWords("admin.audit.from"), (entry) => (entry.network ? networkWords(entry.network) : "–")],
  [inWords("admin.audit.detail"), (entry) => el("bdi", { text: entry.detail || "–" })],
];

const actorWords = ({ actor }) => inWordsOf("admin.actor", actor, actor);
const userLink = (id) => el("a", { href: `/admin/users/${id}`, text: id.slice(0, 6) });

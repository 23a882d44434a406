// What else whoever administers looks at: applications, services, guards, keys, the audit log.

const version = new URL(import.meta.url).search;
const { RECEIPT } = await import(`./refresh.js${version}`);
const { byId, confirmed, during, sayDone } = await import(`./form.js${version}`);
const { el, table, time } = await import(`./draw.js${version}`);

const section = (title, content, note) => [el("h2", { text: title }), note && el("p", { class: "intro", text: note }), content].filter(Boolean);
const listed = (caption, columns, rows, none) => (rows.length > 0 ? table(caption, columns, rows) : el("p", { text: none }));

/** Applications, services, guards. */
export async function showServices({ ask }) {
  const known = await ask("GET", "/api/admin/applications");
  if (known === undefined) return undefined;
  const [{ clients }, { guards }] = await Promise.all([ask("GET", "/api/admin/clients"), ask("GET", "/api/admin/guards")]);
  return [
    ...section("Applications", listed("Applications", [
      ["Name", (one) => one.name], ["Delivery", (one) => one.profile], ["Audience", (one) => one.audience],
      ["Asks for", (one) => one.require], ["Other origins", (one) => one.origins.join(", ") || "–"],
    ], known.applications, "There are none."), `They stand in the configuration. A user may have ${known.max_sessions_per_user} sessions at once.`),
    ...section("Guards", listed("Guards", [
      ["Name", (one) => one.name], ["Since", (one) => time(one.created_at, "day")], ["Processes that accept tokens", (one) => String(one.instances)],
      ["Behind", (one) => behind(one)],
    ], guards, "No guard has a credential yet: counterfoil guard add NAME."), "How far the furthest behind of each is from the newest entry of the revocation log."),
    ...section("Services", listed("Services", [
      ["Name", (one) => one.client_id], ["Proves itself by", (one) => one.method], ["Since", (one) => time(one.created_at, "day")],
      ["May ask for", (one) => one.resources.join(", ") || "–"],
    ], clients, "No service has a credential yet: counterfoil client add NAME.")),
  ];
}

function behind({ instances, behind: entries }) {
  if (instances === 0) return el("span", { class: "bad", text: "accepts nothing" });
  return entries === 0 ? "up to date" : `${entries} ${entries === 1 ? "entry" : "entries"}`;
}

/** The signing keys. */
export async function showKeys({ ask, load, receiptWords, roles }) {
  const answer = await ask("GET", "/api/admin/keys");
  if (answer === undefined) return undefined;
  const columns = [
    ["Key", (key) => el("code", { text: key.kid })], ["Algorithm", (key) => key.alg],
    ["State", (key) => (key.state === "revoked" ? el("span", { class: "bad", text: key.state }) : key.state)],
    ["Since", (key) => time(key.since)], ["Until", (key) => time(key.until)], ["Carries", (key) => key.carries],
  ];
  if (roles.includes("admin")) {
    columns.push(["Action", (key) => {
      if (["revoked", "retired"].includes(key.state)) return "";
      const revoke = el("button", { type: "button", class: "danger", text: "Revoke", "aria-label": `Revoke the key ${key.kid}` });
      revoke.addEventListener("click", () => during(revoke, async () => {
        const text = "Every token it has signed is refused from now on. Browsers fetch another with their refresh token; nobody is signed out.";
        if (!(await confirmed(`Revoke the key ${key.kid}?`, text, "Revoke"))) return;
        const receipt = await ask("POST", `/api/admin/keys/${encodeURIComponent(key.kid)}/revoke?${RECEIPT}`, {});
        if (receipt === undefined) return;
        await load();
        sayDone(`The key is revoked. ${receiptWords(receipt)}`.trim());
        byId("heading").focus();
      }));
      return revoke;
    }]);
  }
  return [table("Signing keys", columns, answer.keys)];
}

const FILTERS = [["user", "Account id"], ["sid", "Session id"], ["event", "Event"], ["since", "Since (day)"], ["until", "Before (day)"]];

/** The audit log, newest first, narrowed by what stands in the fields; the address keeps it. */
export async function showAudit({ ask }) {
  const given = new URLSearchParams(location.search);
  const inputs = FILTERS.map(([name, label]) => {
    const input = el("input", { id: `audit-${name}`, name, type: ["since", "until"].includes(name) ? "date" : "text", autocomplete: "off", spellcheck: "false" });
    input.value = given.get(name) ?? "";
    return el("div", { class: "field" }, el("label", { for: input.id, text: label }), input);
  });
  const form = el("form", { class: "filters", method: "get", action: "/admin/audit" }, ...inputs,
    el("div", { class: "actions" }, el("button", { type: "submit", class: "primary", text: "Show" }), exported(ask, given)));
  const wanted = new URLSearchParams([...given].filter(([name, value]) => value && FILTERS.some(([known]) => known === name)));
  form.addEventListener("submit", () => {
    for (const { firstChild: _label, lastChild: input } of inputs) input.disabled = !input.value;
  });
  const list = el("div", {});
  const more = el("button", { type: "button", text: "Show more" });
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
    list.replaceChildren(listed("Audit log", AUDIT_COLUMNS, entries, "Nothing of that kind is written down."));
    return true;
  }
  more.addEventListener("click", () => during(more, next));
  if (!(await next())) return undefined;
  return [form, list, el("div", { class: "actions" }, more)];
}

// The request before it makes sure of a token that lives: a download renews none.
function exported(ask, wanted) {
  const button = el("button", { type: "button", text: "Export as JSON lines" });
  button.addEventListener("click", () => during(button, async () => {
    if (await ask("GET", "/api/admin/audit/head") === undefined) return;
    el("a", { href: `/api/admin/audit/export?${wanted}`, download: "audit.jsonl" }).click();
  }));
  return button;
}

const AUDIT_COLUMNS = [
  ["When", (entry) => time(entry.at)],
  ["What", (entry) => entry.event.replaceAll("_", " ")],
  ["Who", (entry) => (entry.by ? el("span", {}, `${entry.actor} `, userLink(entry.by)) : entry.actor)],
  ["Account", (entry) => (entry.user ? userLink(entry.user) : "–")],
  ["Session", (entry) => (entry.session ? el("a", { href: `/admin/audit?sid=${entry.session}`, text: entry.session.slice(0, 6) }) : "–")],
  ["From", (entry) => entry.network || "–"],
  ["Detail", (entry) => el("bdi", { text: entry.detail || "–" })],
];

const userLink = (id) => el("a", { href: `/admin/users/${id}`, text: id.slice(0, 6) });

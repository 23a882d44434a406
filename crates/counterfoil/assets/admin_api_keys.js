// API keys: what programs administer with.

const version = new URL(import.meta.url).search;
const { byId, confirmed, during, onSubmit, sayDone } = await import(`./form.js${version}`);
const { inNodes, inWords, inWordsOf } = await import(`./words.js${version}`);
const { choice, el, field, longTable, time } = await import(`./draw.js${version}`);
const { showOnce } = await import(`./admin_once.js${version}`);

const DAY = 86_400;
const ROLES = [
  ["auditor", inWords("admin.api_keys.may_auditor")], ["support", inWords("admin.api_keys.may_support")], ["admin", inWords("admin.api_keys.may_admin")],
];
const SPANS = [30, 90, 366].map((count) => [String(count * DAY), inWords("admin.api_keys.days", { count })]);

/** The API keys, and for administrators the form to make one. */
export async function showApiKeys(tools) {
  const answer = await tools.ask("GET", "/api/admin/api-keys");
  if (answer === undefined) return undefined;
  const may = tools.roles.includes("admin");
  const list = answer.api_keys.length > 0
    ? longTable(inWords("admin.api_keys.heading"), columns(tools, may), answer.api_keys, inWords("admin.more"))
    : el("p", { text: inWords("admin.api_keys.none") });
  return [
    el("p", { class: "intro", text: inWords("admin.api_keys.intro") }),
    may && makeForm(tools), el("h2", { text: inWords("admin.api_keys.keys") }), list,
  ].filter(Boolean);
}

function makeForm(tools) {
  const name = el("input", { id: "key-name", type: "text", maxlength: "64", autocomplete: "off", spellcheck: "false", "aria-describedby": "key-name-error" });
  const role = choice("key-role", ROLES);
  const span = choice("key-span", SPANS);
  span.value = SPANS[1][0];
  const form = el("form", { class: "filters few", novalidate: true },
    field(name, inWords("admin.api_keys.name")), field(role, inWords("admin.api_keys.may_do")), field(span, inWords("admin.api_keys.counts_for")),
    el("div", { class: "actions" }, el("button", { type: "submit", class: "primary", text: inWords("admin.api_keys.submit"), "data-busy": inWords("admin.api_keys.busy") })));
  onSubmit(form, {
    check: () => (/^[A-Za-z0-9._-]{1,64}$/.test(name.value.trim()) ? [] : [[name, inWords("admin.api_keys.name_wrong")]]),
    async act() {
      const wish = { name: name.value.trim(), role: role.value, valid_for: Number(span.value) };
      const made = await tools.ask("POST", "/api/admin/api-keys", wish);
      if (made === undefined) return;
      await showOnce({
        title: inWords("admin.api_keys.made", { name: made.name }), text: inWords("admin.api_keys.made_what"), secret: made.api_key, name: inWords("admin.api_keys.made_key"),
      });
      await tools.load();
      byId("heading").focus();
    },
    place: (problem) => (problem.code === "name_taken" ? [[name, inWords("admin.api_keys.name_taken")]] : null),
  });
  return form;
}

function columns({ ask, load }, may) {
  const shown = [
    [inWords("admin.api_keys.name"), (key) => el("code", { text: key.name })],
    [inWords("admin.api_keys.may_do"), (key) => key.role],
    [inWords("admin.api_keys.made_by"), (key) => (key.issuer ? el("a", { href: `/admin/users/${key.issuer}`, text: key.issuer.slice(0, 6) }) : inWordsOf("admin.actor", "operator", "operator"))],
    [inWords("admin.api_keys.last_used"), (key) => (key.used_at ? time(key.used_at) : inWords("admin.api_keys.never"))],
    [inWords("admin.api_keys.until"), (key) => (Date.parse(key.expires_at) <= Date.now() ? el("span", { class: "bad" }, ...inNodes("admin.api_keys.over", { date: time(key.expires_at, "day") })) : time(key.expires_at, "day"))],
    [inWords("admin.api_keys.in_audit"), (key) => el("code", { text: key.id.slice(0, 6) })],
  ];
  if (!may) return shown;
  return [...shown, [inWords("admin.action"), (key) => {
    const button = el("button", { type: "button", class: "danger", text: inWords("admin.api_keys.take_back"), "aria-label": inWords("admin.api_keys.take_back_which", { name: key.name }) });
    button.addEventListener("click", () => during(button, async () => {
      const title = inWords("admin.api_keys.take_back_sure", { name: key.name });
      if (!(await confirmed(title, inWords("admin.api_keys.take_back_what"), inWords("admin.api_keys.take_back")))) return;
      if (await ask("DELETE", `/api/admin/api-keys/${encodeURIComponent(key.name)}`) === undefined) return;
      await load();
      sayDone(inWords("admin.api_keys.taken_back"));
      byId("heading").focus();
    }));
    return button;
  }]];
}

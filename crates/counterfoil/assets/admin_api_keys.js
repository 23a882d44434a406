// API keys: what programs administer with.

const version = new URL(import.meta.url).search;
const { byId, confirmed, during, onSubmit, sayDone } = await import(`./form.js${version}`);
const { choice, el, field, longTable, time } = await import(`./draw.js${version}`);
const { showOnce } = await import(`./admin_once.js${version}`);

const DAY = 86_400;
const ROLES = [["auditor", "auditor: sees everything"], ["support", "support: sees, and ends access"], ["admin", "admin: everything"]];
const SPANS = [[String(30 * DAY), "30 days"], [String(90 * DAY), "90 days"], [String(366 * DAY), "366 days"]];

/** The API keys, and for administrators the form to make one. */
export async function showApiKeys(tools) {
  const answer = await tools.ask("GET", "/api/admin/api-keys");
  if (answer === undefined) return undefined;
  const may = tools.roles.includes("admin");
  const list = answer.api_keys.length > 0
    ? longTable("API keys", columns(tools, may), answer.api_keys, "Show more")
    : el("p", { text: "There are none." });
  return [
    el("p", { class: "intro", text: "Programs send one as Authorization: Bearer cfa_… to /api/admin. One that is made here ends when whoever made it no longer administers; the command line makes such that stay." }),
    may && makeForm(tools), el("h2", { text: "Keys" }), list,
  ].filter(Boolean);
}

function makeForm(tools) {
  const name = el("input", { id: "key-name", type: "text", maxlength: "64", autocomplete: "off", spellcheck: "false", "aria-describedby": "key-name-error" });
  const role = choice("key-role", ROLES);
  const span = choice("key-span", SPANS);
  span.value = SPANS[1][0];
  const form = el("form", { class: "filters few", novalidate: true },
    field(name, "Name"), field(role, "May do"), field(span, "Counts for"),
    el("div", { class: "actions" }, el("button", { type: "submit", class: "primary", text: "Make a key", "data-busy": "Making it…" })));
  onSubmit(form, {
    check: () => (/^[A-Za-z0-9._-]{1,64}$/.test(name.value.trim()) ? [] : [[name, "Use 1 to 64 letters, digits, dots, dashes and underscores."]]),
    async act() {
      const wish = { name: name.value.trim(), role: role.value, valid_for: Number(span.value) };
      const made = await tools.ask("POST", "/api/admin/api-keys", wish);
      if (made === undefined) return;
      await showOnce({
        title: `The key ${made.name}`, text: "Keep it where your program keeps its secrets. It is not shown again.", secret: made.api_key, name: "API key",
      });
      await tools.load();
      byId("heading").focus();
    },
    place: (problem) => (problem.code === "name_taken" ? [[name, "There is a key of this name."]] : null),
  });
  return form;
}

function columns({ ask, load }, may) {
  const shown = [
    ["Name", (key) => el("code", { text: key.name })],
    ["May do", (key) => key.role],
    ["Made by", (key) => (key.issuer ? el("a", { href: `/admin/users/${key.issuer}`, text: key.issuer.slice(0, 6) }) : "operator")],
    ["Last used", (key) => (key.used_at ? time(key.used_at) : "never")],
    ["Until", (key) => (Date.parse(key.expires_at) <= Date.now() ? el("span", { class: "bad" }, "over since ", time(key.expires_at, "day")) : time(key.expires_at, "day"))],
    ["In the audit log", (key) => el("code", { text: key.id.slice(0, 6) })],
  ];
  if (!may) return shown;
  return [...shown, ["Action", (key) => {
    const button = el("button", { type: "button", class: "danger", text: "Take back", "aria-label": `Take back the key ${key.name}` });
    button.addEventListener("click", () => during(button, async () => {
      const text = "Programs that use it are refused from now on, and invitations that it has made are withdrawn.";
      if (!(await confirmed(`Take back the key ${key.name}?`, text, "Take back"))) return;
      if (await ask("DELETE", `/api/admin/api-keys/${encodeURIComponent(key.name)}`) === undefined) return;
      await load();
      sayDone("The key is taken back.");
      byId("heading").focus();
    }));
    return button;
  }]];
}

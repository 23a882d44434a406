// Invitations: who may come, and taking it back.

const version = new URL(import.meta.url).search;
const { byId, confirmed, during, onSubmit, sayDone } = await import(`./form.js${version}`);
const { choice, el, field, longTable, time } = await import(`./draw.js${version}`);
const { showOnce } = await import(`./admin_once.js${version}`);

const DAY = 86_400;
const ROLES = [["", "none"], ["auditor", "auditor"], ["support", "support"], ["admin", "admin"]];
const SPANS = [[String(DAY), "a day"], [String(7 * DAY), "a week"], [String(30 * DAY), "30 days"]];

/** The invitations that are open, and for administrators the form to make one. */
export async function showInvitations(tools) {
  const answer = await tools.ask("GET", "/api/admin/invites");
  if (answer === undefined) return undefined;
  const may = tools.roles.includes("admin");
  const list = answer.invites.length > 0
    ? longTable("Open invitations", columns(tools, may), answer.invites, "Show more")
    : el("p", { text: "No invitation is open." });
  return [may && makeForm(tools), el("h2", { text: "Open" }), list].filter(Boolean);
}

function makeForm(tools) {
  const note = el("input", { id: "invite-note", type: "text", maxlength: "200", autocomplete: "off", "aria-describedby": "invite-note-error" });
  const role = choice("invite-role", ROLES);
  const span = choice("invite-span", SPANS);
  const form = el("form", { class: "filters few", novalidate: true },
    field(note, "For whom (only the administration sees it)"), field(role, "Role"), field(span, "Valid for"),
    el("div", { class: "actions" }, el("button", { type: "submit", class: "primary", text: "Make an invitation", "data-busy": "Making it…" })));
  onSubmit(form, {
    check: () => [],
    async act() {
      const wish = { note: note.value.trim(), valid_for: Number(span.value), ...(role.value ? { role: role.value } : {}) };
      const made = await tools.ask("POST", "/api/admin/invites", wish);
      if (made === undefined) return;
      await showOnce({
        title: "The invitation", text: "Give this link to whom it is for. It works once, and is not shown again.", secret: made.link, name: "Link",
      });
      await tools.load();
      byId("heading").focus();
    },
    place: (problem) => (problem.code === "malformed" ? [[note, "At most 200 bytes of printable text."]] : null),
  });
  return form;
}

function columns({ ask, load }, may) {
  const shown = [
    ["For", (invite) => el("bdi", { text: invite.note || "–" })],
    ["Role", (invite) => invite.role ?? "–"],
    ["Made by", (invite) => (invite.issuer ? el("a", { href: `/admin/users/${invite.issuer}`, text: invite.issuer.slice(0, 6) }) : "operator")],
    ["Until", (invite) => time(invite.expires_at)],
  ];
  if (!may) return shown;
  return [...shown, ["Action", (invite) => {
    const button = el("button", { type: "button", class: "danger", text: "Withdraw", "aria-label": `Withdraw the invitation for ${invite.note || "nobody in particular"}` });
    button.addEventListener("click", () => during(button, async () => {
      if (!(await confirmed("Withdraw the invitation?", "Its link stops working at once.", "Withdraw"))) return;
      if (await ask("DELETE", `/api/admin/invites/${invite.id}`) === undefined) return;
      await load();
      sayDone("The invitation is withdrawn.");
      byId("heading").focus();
    }));
    return button;
  }]];
}

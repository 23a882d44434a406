// Invitations: who may come, and taking it back.

const version = new URL(import.meta.url).search;
const { byId, confirmed, during, onSubmit, sayDone } = await import(`./form.js${version}`);
const { inWords, inWordsOf } = await import(`./words.js${version}`);
const { choice, el, field, longTable, time } = await import(`./draw.js${version}`);
const { showOnce } = await import(`./admin_once.js${version}`);

const DAY = 86_400;
const ROLES = [["", inWords("admin.invitations.no_role")], ["auditor", "auditor"], ["support", "support"], ["admin", "admin"]];
const SPANS = [[String(DAY), inWords("admin.invitations.a_day")], [String(7 * DAY), inWords("admin.invitations.a_week")], [String(30 * DAY), inWords("admin.invitations.a_month")]];

/** The invitations that are open, and for administrators the form to make one. */
export async function showInvitations(tools) {
  const answer = await tools.ask("GET", "/api/admin/invites");
  if (answer === undefined) return undefined;
  const may = tools.roles.includes("admin");
  const list = answer.invites.length > 0
    ? longTable(inWords("admin.invitations.caption"), columns(tools, may), answer.invites, inWords("admin.more"))
    : el("p", { text: inWords("admin.invitations.none") });
  return [may && makeForm(tools), el("h2", { text: inWords("admin.invitations.open") }), list].filter(Boolean);
}

function makeForm(tools) {
  const note = el("input", { id: "invite-note", type: "text", maxlength: "200", autocomplete: "off", "aria-describedby": "invite-note-error" });
  const role = choice("invite-role", ROLES);
  const span = choice("invite-span", SPANS);
  const form = el("form", { class: "filters few", novalidate: true },
    field(note, inWords("admin.invitations.for_whom")), field(role, inWords("admin.invitations.role")), field(span, inWords("admin.invitations.valid_for")),
    el("div", { class: "actions" }, el("button", { type: "submit", class: "primary", text: inWords("admin.invitations.submit"), "data-busy": inWords("admin.invitations.busy") })));
  onSubmit(form, {
    check: () => [],
    async act() {
      const wish = { note: note.value.trim(), valid_for: Number(span.value), ...(role.value ? { role: role.value } : {}) };
      const made = await tools.ask("POST", "/api/admin/invites", wish);
      if (made === undefined) return;
      await showOnce({
        title: inWords("admin.invitations.made"), text: inWords("admin.invitations.made_what"), secret: made.link, name: inWords("admin.invitations.made_link"),
      });
      await tools.load();
      byId("heading").focus();
    },
    place: (problem) => (problem.code === "malformed" ? [[note, inWords("admin.invitations.note_refused")]] : null),
  });
  return form;
}

function columns({ ask, load }, may) {
  const shown = [
    [inWords("admin.invitations.for"), (invite) => el("bdi", { text: invite.note || "–" })],
    [inWords("admin.invitations.role"), (invite) => invite.role ?? "–"],
    [inWords("admin.invitations.made_by"), (invite) => (invite.issuer ? el("a", { href: `/admin/users/${invite.issuer}`, text: invite.issuer.slice(0, 6) }) : inWordsOf("admin.actor", "operator", "operator"))],
    [inWords("admin.invitations.until"), (invite) => time(invite.expires_at)],
  ];
  if (!may) return shown;
  return [...shown, [inWords("admin.action"), (invite) => {
    const button = el("button", { type: "button", class: "danger", text: inWords("admin.invitations.withdraw"), "aria-label": inWords("admin.invitations.withdraw_which", { whom: invite.note || inWords("admin.invitations.nobody") }) });
    button.addEventListener("click", () => during(button, async () => {
      const question = ["admin.invitations.withdraw_sure", "admin.invitations.withdraw_what", "admin.invitations.withdraw"];
      if (!(await confirmed(...question.map((key) => inWords(key))))) return;
      if (await ask("DELETE", `/api/admin/invites/${invite.id}`) === undefined) return;
      await load();
      sayDone(inWords("admin.invitations.withdrawn"));
      byId("heading").focus();
    }));
    return button;
  }]];
}

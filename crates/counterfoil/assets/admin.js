// The administration: which section this is, and what they all need.

const version = new URL(import.meta.url).search;
const { arrived, onOtherTab, request, toLogin } = await import(`./refresh.js${version}`);
const { bindPasswordToggles, byId, describe, during } = await import(`./form.js${version}`);
const { inWords } = await import(`./words.js${version}`);
const { guarded } = await import(`./fresh.js${version}`);
const { showUser, showUsers } = await import(`./admin_users.js${version}`);
const { showRisk } = await import(`./admin_risk.js${version}`);
const { showActivity } = await import(`./admin_activity.js${version}`);
const { showInvitations } = await import(`./admin_invitations.js${version}`);
const { showApiKeys } = await import(`./admin_api_keys.js${version}`);
const { showAudit, showKeys, showServices } = await import(`./admin_lists.js${version}`);


/** Asks as whoever administers; for a fresh proof too, if one is wanting. Undefined if the person turns back. */
async function ask(method, path, body) {
  const action = () => request(method, path, body);
  try {
    return await action();
  } catch (problem) {
    if (problem.code !== "reauthentication_required") throw problem;
    return guarded(action, problem);
  }
}

/** What a receipt says to whoever administers: verifier by verifier. */
function receiptWords({ ms, verifiers = [] } = {}) {
  if (ms === undefined) return "";
  if (verifiers.length === 0) return inWords("admin.in_force_here", { ms });
  const words = ({ name, how, ms: after }) => inWords(how === "acknowledged" ? "admin.confirmed" : "admin.accepts_nothing", { name, ms: after });
  return `${inWords("admin.in_force", { ms })} ${verifiers.map(words).join(" · ")}`;
}

const [, , section, id] = location.pathname.split("/");
const tools = { ask, load, receiptWords, roles: [] };

async function load() {
  byId("load-problem").hidden = true;
  try {
    const me = await ask("GET", "/api/auth/me");
    tools.roles = me?.user.roles ?? [];
    const content = me && await shown();
    if (content === undefined) {
      byId("load-problem-text").textContent = inWords("page.confirm_to_see");
      byId("load-problem").hidden = false;
      return;
    }
    byId("content").replaceChildren(...content);
    arrived(location.pathname);
    document.body.classList.remove("loading");
  } catch (problem) {
    if (problem.silent) return;
    if (problem.code === undefined) console.error(problem);
    byId("load-problem-text").textContent = problem.code === "forbidden"
      ? inWords("admin.forbidden") : describe(problem);
    byId("load-problem").hidden = false;
  }
}

function shown() {
  switch (section) {
    case "invitations": return showInvitations(tools);
    case "activity": return showActivity(tools);
    case "api-keys": return showApiKeys(tools);
    case "services": return showServices(tools);
    case "keys": return showKeys(tools);
    case "risk": return showRisk(tools);
    case "audit": return showAudit(tools);
    default: return id ? showUser(tools, id) : showUsers(tools);
  }
}

byId("load-again").addEventListener("click", () => during(byId("load-again"), load));
bindPasswordToggles();
onOtherTab((type) => {
  if (type === "signed-out") toLogin("signed_out");
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
await load();

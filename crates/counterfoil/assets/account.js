// The account page: who you are, where you are signed in, and how to end it.

const version = new URL(import.meta.url).search;
const {
  RECEIPT, arrived, onOtherTab, receiptWords, request, signOut, signOutEverywhere, toLogin,
} = await import(`./refresh.js${version}`);
const {
  bindPasswordToggles, byId, confirmed, describe, during, onSubmit, sayDone,
} = await import(`./form.js${version}`);
const { guarded, readFactors } = await import(`./fresh.js${version}`);
const { bindFactors } = await import(`./factors.js${version}`);
const { bindAddress } = await import(`./address.js${version}`);
const { bindLeaving } = await import(`./erase.js${version}`);

const SESSIONS_PATH = "/api/auth/sessions";
const STALE_MS = 30_000;
const TEAR_MS = 420;

const WHY_ENDED = {
  signed_out: "Signed out",
  expired: "Expired",
  ended_by_you: "Ended by you",
  ended_by_admin: "Ended by an administrator",
  password_changed: "Ended because the password changed",
  suspected_theft: "Ended as a precaution: a copy was used somewhere else",
  session_limit: "Made room for a newer sign-in",
  deleted: "Ended because the account was deleted",
};

let loadedAt = 0;
let who = "";
let loads = 0;

// ---- Times and words ------------------------------------------------------------------------

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });
const STEPS = [["day", 86_400], ["hour", 3_600], ["minute", 60]];

function ago(date) {
  const past = (date.getTime() - Date.now()) / 1000;
  const step = STEPS.find(([, size]) => Math.abs(past) >= size);
  return step ? relative.format(Math.round(past / step[1]), step[0]) : "just now";
}

// A <time> whose words are relative or a date; the exact time shows on hover.
function setTime(element, value, words) {
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) return;
  element.dateTime = value;
  element.title = exact.format(date);
  element.textContent = words(date);
}

function kindOf(device) {
  if (/iphone|ipad|android|mobile|phone/i.test(device)) return "phone";
  return /curl|cli|bot|python|terminal|http/i.test(device) ? "tool" : "computer";
}

// ---- Profile --------------------------------------------------------------------------------

function showProfile({ user, session }) {
  who = user.id;
  byId("profile-name").textContent = user.name || user.email;
  byId("profile-email").textContent = user.email;
  byId("username").value = user.email;
  const roles = user.roles ?? [];
  byId("profile-roles").textContent = roles.join(", ");
  byId("profile-roles-row").hidden = roles.length === 0;
  byId("to-admin").hidden = !roles.some((role) => ["admin", "support", "auditor"].includes(role));
  setTime(byId("profile-since"), user.created_at, (date) => day.format(date));
  setTime(byId("session-since"), session.created_at, (date) => day.format(date));
  setTime(byId("session-until"), session.expires_at, (date) => day.format(date));
}

// ---- Devices --------------------------------------------------------------------------------

// A copy of a <template>'s one element, and a way to its parts by their data-part.
function copyOf(templateId) {
  const element = byId(templateId).content.firstElementChild.cloneNode(true);
  return [element, (part) => element.querySelector(`[data-part="${part}"]`)];
}

/** Where a session was used: its city and country where the server knows them, and the network. */
function placeOf({ place, network }) {
  const known = network || "an unknown network";
  return place ? `${place} (${known})` : known;
}

function deviceItem(session) {
  const [item, part] = copyOf("device-template");
  const device = session.device || "Unknown device";
  item.dataset.sessionId = session.id;
  item.dataset.kind = kindOf(device);
  item.classList.toggle("current", session.current === true);
  part("serial").textContent = session.id.slice(0, 6);
  part("device").textContent = device;
  part("current").hidden = !session.current;
  part("bound").hidden = !session.bound;
  part("refused").hidden = !session.copy_refused_at;
  if (session.copy_refused_at) setTime(part("refused-at"), session.copy_refused_at, ago);
  part("network").textContent = placeOf(session);
  setTime(part("seen"), session.last_seen_at, ago);
  setTime(part("since"), session.created_at, (date) => day.format(date));
  const end = part("end");
  end.setAttribute("aria-label", `End ${device}${session.current ? ", this device" : ""}`);
  end.addEventListener("click", () => endOne(session, item));
  return item;
}

function showSessions(sessions) {
  const newestFirst = (a, b) => Date.parse(b.last_seen_at) - Date.parse(a.last_seen_at);
  const sorted = [...sessions].sort((a, b) => Number(b.current) - Number(a.current) || newestFirst(a, b));
  const focused = document.activeElement?.closest("#sessions > li")?.dataset.sessionId;
  byId("sessions").replaceChildren(...sorted.map(deviceItem));
  if (focused !== undefined) focusDevice(focused);
  const others = sessions.filter((session) => !session.current).length;
  byId("no-others").hidden = others > 0;
  byId("end-others").hidden = others === 0;
}

function focusDevice(id) {
  const items = [...byId("sessions").children];
  const item = items.find((each) => each.dataset.sessionId === id);
  (item?.querySelector("button") ?? byId("devices-heading")).focus();
}

function endedItem(ended) {
  const [item, part] = copyOf("ended-template");
  part("device").textContent = ended.device || "Unknown device";
  part("network").textContent = placeOf(ended);
  part("reason").textContent = WHY_ENDED[ended.reason] ?? "Ended";
  item.classList.toggle("alarming", ended.reason === "suspected_theft");
  setTime(part("when"), ended.ended_at, ago);
  return item;
}

function showEnded(ended) {
  byId("ended").replaceChildren(...ended.map(endedItem));
  byId("ended-section").hidden = ended.length === 0;
}

// ---- Loading --------------------------------------------------------------------------------

// When two loads overlap, only the later one may show what it found.
/** Asks for a proof where the session needs one to go on. Undefined if the person turns back. */
async function whoAmI() {
  const action = () => request("GET", "/api/auth/me");
  try {
    return await action();
  } catch (problem) {
    if (problem.code !== "reauthentication_required") throw problem;
    return guarded(action, problem);
  }
}

async function load() {
  loads += 1;
  const turn = loads;
  try {
    const me = await whoAmI();
    if (me === undefined) {
      byId("load-problem-text").textContent = "Confirm that it is you to see this.";
      byId("load-problem").hidden = false;
      return;
    }
    const [{ sessions, ended }, factors] = await Promise.all([request("GET", SESSIONS_PATH), readFactors()]);
    if (turn !== loads) return;
    showProfile(me);
    showFactors(factors);
    showPasswordForm(factors);
    showSessions(sessions);
    showEnded(ended ?? []);
    loadedAt = Date.now();
    arrived("/account");
    byId("load-problem").hidden = true;
    document.body.classList.remove("loading");
  } catch (problem) {
    if (problem.silent || turn !== loads) return;
    if (problem.code === undefined) console.error(problem);
    byId("load-problem-text").textContent = describe(problem);
    byId("load-problem").hidden = false;
  }
}

// ---- Actions --------------------------------------------------------------------------------

function endOne(session, item) {
  const button = item.querySelector("button");
  return during(button, async () => {
    if (session.current) return signOut();
    await deleteSession(session.id);
    await tear([item]);
    byId("devices-heading").focus();
    sayDone(`Ended: ${session.device || "unknown device"}.`);
    await load();
  });
}

// A session that is gone already is what was asked for.
async function deleteSession(id) {
  try {
    await request("DELETE", `${SESSIONS_PATH}/${encodeURIComponent(id)}`);
  } catch (problem) {
    if (problem.status !== 404) throw problem;
  }
}

function endOthers() {
  return during(byId("end-others"), async () => {
    if (!(await confirmed("End all other devices?", "They have to sign in again.", "End all others"))) return;
    const receipt = await request("DELETE", `${SESSIONS_PATH}?${RECEIPT}`);
    await tear([...byId("sessions").children].filter((item) => !item.classList.contains("current")));
    byId("devices-heading").focus();
    sayDone(`All other devices are signed out. ${receiptWords(receipt)}`.trim());
    await load();
  });
}

function everywhere() {
  return during(byId("sign-out-everywhere"), async () => {
    const text = "Every device has to sign in again, this one too.";
    if (await confirmed("Sign out everywhere?", text, "Sign out everywhere")) await signOutEverywhere();
  });
}

// Tears the stubs off, unless the person prefers stillness.
function tear(items) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return Promise.resolve();
  for (const item of items) item.classList.add("torn");
  return new Promise((resolve) => setTimeout(resolve, TEAR_MS));
}

// ---- Password -------------------------------------------------------------------------------

let hasPassword = true;

// Whoever has only passkeys may set a password, and has none to show.
function showPasswordForm({ password }) {
  hasPassword = password;
  byId("current-password").closest(".field").hidden = !password;
  byId("password-intro").textContent = password
    ? "A new password signs out every other device."
    : "You sign in without one. If you set a password, every other device is signed out.";
  byId("change-password").textContent = password ? "Change password" : "Set a password";
}

function bindPasswordForm() {
  const form = byId("password-form");
  const current = byId("current-password");
  const next = byId("new-password");
  onSubmit(form, {
    check() {
      const errors = [];
      if (hasPassword && !current.value) errors.push([current, "Enter your current password."]);
      if (!next.value) errors.push([next, "Enter a new password."]);
      else if (hasPassword && next.value === current.value) errors.push([next, "This is your current password."]);
      return errors;
    },
    async act() {
      const body = { new_password: next.value };
      if (hasPassword) body.current_password = current.value;
      const changed = await guardedChange(body);
      if (!changed) return;
      form.reset();
      sayDone(`Your password is ${hasPassword ? "changed" : "set"}. Every other device is signed out.`);
      await load();
    },
    place(problem) {
      if (problem.code === "invalid_credentials") return [[current, "This is not your current password."]];
      return problem.code === "password_rejected" ? [[next, describe(problem)]] : null;
    },
  });
}

// A password alone is not enough to change it where the account has something stronger.
async function guardedChange(body) {
  const change = async () => {
    await request("POST", "/api/auth/password/change", body);
    return true;
  };
  try {
    return await change();
  } catch (problem) {
    if (problem.code !== "reauthentication_required") throw problem;
    return guarded(change, problem);
  }
}

// ---- Start ----------------------------------------------------------------------------------

byId("sign-out").addEventListener("click", () => during(byId("sign-out"), signOut));
byId("end-others").addEventListener("click", endOthers);
byId("sign-out-everywhere").addEventListener("click", everywhere);
byId("load-again").addEventListener("click", () => during(byId("load-again"), load));
bindPasswordToggles();
bindPasswordForm();
const showFactors = bindFactors({
  copyOf, setTime, words: { ago, day: (date) => day.format(date) },
}, () => who);
bindAddress(() => byId("profile-email").textContent);
bindLeaving(() => byId("profile-email").textContent);

// Another tab signed out: this one holds the same session. The sign-in page finds out for sure.
onOtherTab((type) => {
  if (type === "signed-out") toLogin("signed_out");
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && Date.now() - loadedAt > STALE_MS) load();
});
window.addEventListener("online", load);
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
await load();

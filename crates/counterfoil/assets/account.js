// The account page: who you are, where you are signed in, and how to end it.

const version = new URL(import.meta.url).search;
const {
  RECEIPT, arrived, onOtherTab, receiptWords, request, signOut, signOutEverywhere, toLogin,
} = await import(`./refresh.js${version}`);
const {
  bindPasswordToggles, byId, confirmed, describe, during, onSubmit, sayDone,
} = await import(`./form.js${version}`);
const {
  ago, deviceWords, inWords, inWordsOf, locale, placeWords,
} = await import(`./words.js${version}`);
const { guarded, readFactors } = await import(`./fresh.js${version}`);
const { bindFactors } = await import(`./factors.js${version}`);
const { bindAddress } = await import(`./address.js${version}`);
const { bindLeaving } = await import(`./erase.js${version}`);

const SESSIONS_PATH = "/api/auth/sessions";
const STALE_MS = 30_000;
const TEAR_MS = 420;

let loadedAt = 0;
let who = "";
let loads = 0;

// ---- Times ----------------------------------------------------------------------------------

const exact = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
const day = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });

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

const placeOf = (session) => placeWords(session, inWords("network.unknown"));

function deviceItem(session) {
  const [item, part] = copyOf("device-template");
  const device = deviceWords(session.device);
  item.dataset.sessionId = session.id;
  item.dataset.kind = kindOf(session.device ?? "");
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
  end.setAttribute("aria-label", inWords(session.current ? "account.devices.end_this" : "account.devices.end_which", { device }));
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
  part("device").textContent = deviceWords(ended.device);
  part("network").textContent = placeOf(ended);
  part("reason").textContent = inWordsOf("account.why", ended.reason, inWords("account.why.unknown"));
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
      byId("load-problem-text").textContent = inWords("page.confirm_to_see");
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
    sayDone(inWords("account.devices.ended", { device: deviceWords(session.device) }));
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
    const question = ["account.devices.end_others_sure", "account.devices.end_others_what", "account.devices.end_others"];
    if (!(await confirmed(...question.map((key) => inWords(key))))) return;
    const receipt = await request("DELETE", `${SESSIONS_PATH}?${RECEIPT}`);
    await tear([...byId("sessions").children].filter((item) => !item.classList.contains("current")));
    byId("devices-heading").focus();
    sayDone(`${inWords("account.devices.others_ended")} ${receiptWords(receipt)}`.trim());
    await load();
  });
}

function everywhere() {
  return during(byId("sign-out-everywhere"), async () => {
    const question = ["account.devices.everywhere_sure", "account.devices.everywhere_what", "account.devices.everywhere"];
    if (await confirmed(...question.map((key) => inWords(key)))) await signOutEverywhere();
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
  byId("password-intro").textContent = inWords(password ? "account.password.intro" : "account.password.intro_none");
  byId("change-password").textContent = inWords(password ? "account.password.submit" : "account.password.submit_none");
}

function bindPasswordForm() {
  const form = byId("password-form");
  const current = byId("current-password");
  const next = byId("new-password");
  onSubmit(form, {
    check() {
      const errors = [];
      if (hasPassword && !current.value) errors.push([current, inWords("account.password.enter_current")]);
      if (!next.value) errors.push([next, inWords("account.password.enter_new")]);
      else if (hasPassword && next.value === current.value) errors.push([next, inWords("account.password.is_current")]);
      return errors;
    },
    async act() {
      const body = { new_password: next.value };
      if (hasPassword) body.current_password = current.value;
      const changed = await guardedChange(body);
      if (!changed) return;
      form.reset();
      sayDone(inWords(hasPassword ? "account.password.changed" : "account.password.set"));
      await load();
    },
    place(problem) {
      if (problem.code === "invalid_credentials") return [[current, inWords("account.password.wrong")]];
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
const showFactors = bindFactors({ copyOf, setTime, day: (date) => day.format(date) }, () => who);
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

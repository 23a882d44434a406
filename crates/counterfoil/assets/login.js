// The sign-in page: one silent try with the session this browser may still hold, then the form, and whatever step comes after it.
// Where a fresh proof is asked for and the session lives, it is proved here and goes on.

const version = new URL(import.meta.url).search;
const {
  begin, cameStraightBack, endedWords, goOn, login, onOtherTab, receiptWords, refresh, request, signInStep, stepUp, takeNext,
  takeReceipt,
} = await import(`./refresh.js${version}`);
const {
  ELSEWHERE, bindPasswordToggles, byId, describe, during, looksLikeEmail, onSubmit, say, sayProblem, setError,
} = await import(`./form.js${version}`);
const { inWords } = await import(`./words.js${version}`);
const { forget, make, offersInAutofill, supported, use } = await import(`./passkeys.js${version}`);
const { bindProof, enough } = await import(`./prove.js${version}`);
const { setUpApp, showCodes } = await import(`./enrol.js${version}`);

const form = byId("login-form");
const email = byId("email");
const password = byId("password");
const redirect = form.dataset.redirect;
const passkeys = supported && byId("passkey-first").dataset.passkeys === "true";
const wanted = new URLSearchParams(location.search);

// ---- What the page shows --------------------------------------------------------------------

const VIEWS = { form: ["login-form", "new-here"], second: ["second"], enrol: ["enrol"] };

function show(view, heading) {
  byId("heading").textContent = inWords(heading);
  for (const id of Object.values(VIEWS).flat()) {
    const element = byId(id);
    if (element) element.hidden = !VIEWS[view].includes(id);
  }
  byId("passkey-first").hidden = view !== "form" || !passkeys;
}

// ---- With the session this browser still holds ----------------------------------------------

async function trySilently() {
  const reason = wanted.get("ended");
  const words = receiptWords(takeReceipt());
  const everywhere = reason === "signed_out" && words;
  const ended = everywhere ? inWords("login.signed_out_everywhere", { receipt: words }) : endedWords(reason);
  if (reason === "reauthenticate" && await proveAgain()) return;
  // A fresh sign-in is asked for: the session this browser still holds is not enough.
  if (reason === "reauthenticate" || cameStraightBack(redirect)) {
    say(ended || inWords("login.cookies_blocked"), ended ? "calm" : "bad");
    return;
  }
  say(ended);
  document.body.classList.add("checking");
  const outcome = await refresh();
  document.body.classList.remove("checking");
  if (outcome.state === "ok") goOn(redirect);
  else if (outcome.state === "prove") proveHere(outcome.problem.options);
  else if (outcome.state === "signed-out" && !ended && outcome.reason !== "signed_out") {
    say(endedWords(outcome.reason));
  } else if (outcome.state === "unavailable") {
    say(describe(outcome.problem), "bad");
  }
}

/** Whether a session lives here whose owner can prove enough to go on (RFC 9470). */
async function proveAgain() {
  document.body.classList.add("checking");
  const outcome = await refresh();
  document.body.classList.remove("checking");
  if (outcome.state === "prove") return proveHere(outcome.problem.options);
  if (outcome.state !== "ok") return false;
  const { step_up: ways } = await request("GET", "/api/auth/factors");
  show("second", "prove.heading");
  proving = "session";
  if (prove(enough(ways, wanted.get("acr_values")))) return true;
  if (ways.length > 0) {
    say(inWords("login.needs_stronger"), "bad");
    byId("second").hidden = true;
    return true;
  }
  show("form", "login.heading");
  return false;
}

/** Asks for the proof with which the session this browser holds goes on. */
function proveHere(ways) {
  show("second", "prove.heading");
  proving = "session";
  if (prove(ways)) {
    say(ELSEWHERE);
    return true;
  }
  show("form", "login.heading");
  return false;
}

// ---- Steps ----------------------------------------------------------------------------------

let proving = "sign-in";
const prove = bindProof(async (way, secret) => {
  if (proving === "session") return provedAgain(way, secret);
  const step = {
    totp: () => signInStep("/api/auth/totp/verify", { code: secret }),
    recovery_code: () => signInStep("/api/auth/recovery-codes/verify", { code: secret }),
    mail: () => signInStep("/api/auth/mail-code/verify", { code: secret }),
    passkey: () => byPasskey({}),
  }[way];
  return arrive(await begun(step));
}, () => begun(() => begin("/api/auth/mail-code/send")));

async function provedAgain(way, secret) {
  if (way === "passkey") {
    const credential = await use(await stepUp("/api/auth/step-up/passkey/start"));
    await stepUp("/api/auth/step-up/passkey/finish", { credential });
  } else {
    await stepUp(`/api/auth/step-up/${way}`, way === "totp" ? { code: secret } : { password: secret });
  }
  goOn(redirect);
}

// A ceremony that is over cannot be gone on with: back to the form.
async function begun(step) {
  try {
    return await step();
  } catch (problem) {
    if (problem.code === "login_expired") startOver();
    throw problem;
  }
}

// Named, so that it is not taken for the next step of a sign-in that somebody has begun here and left.
const ANEW = { client_id: "web" };

async function byPasskey(body) {
  const options = await begin("/api/auth/passkeys/login/start", body);
  return finishPasskey(options, await use(options));
}

async function finishPasskey(options, credential) {
  try {
    return await signInStep("/api/auth/passkeys/login/finish", { credential, remember: byId("remember").checked });
  } catch (problem) {
    if (problem.code === "passkey_unknown") forget(options.publicKey.rpId, credential.id);
    throw problem;
  }
}

/** Goes on to where the sign-in leads, or to its next step. */
async function arrive(answer) {
  if (answer.recovery_codes) await showCodes(answer.recovery_codes);
  if (!answer.next) return goOn(redirect);
  autofill?.abort();
  password.value = "";
  proving = "sign-in";
  if (answer.next !== "enrol") {
    show("second", "login.one_more_step");
    if (!prove(answer.options)) say(inWords("login.no_passkeys_here"), "bad");
    return undefined;
  }
  show("enrol", "login.one_more_way");
  const offer = passkeys && answer.options.includes("passkey");
  byId("enrol-passkey").hidden = !offer;
  byId("enrol-passkey-hint").hidden = !offer;
  byId("enrol-app").hidden = !answer.options.includes("totp");
  (offer ? byId("enrol-passkey") : byId("enrol-app")).focus();
  return undefined;
}

function startOver() {
  say("");
  show("form", "login.heading");
  email.focus();
}

async function enrolPasskey() {
  const options = await begun(() => begin("/api/auth/passkeys/register/start", { sign_in: true }));
  const credential = await make(options);
  await arrive(await begun(() => signInStep("/api/auth/passkeys/register/finish", { sign_in: true, credential })));
}

async function enrolApp() {
  const offer = await begun(() => begin("/api/auth/totp/enrol/start", { sign_in: true }));
  const answer = await setUpApp(offer, (code) =>
    begun(() => signInStep("/api/auth/totp/enrol/finish", { sign_in: true, code })));
  if (answer) await arrive(answer);
}

// ---- Passkeys in the autofill of the form ---------------------------------------------------

let autofill = null;

async function offerPasskeys() {
  if (!passkeys || !(await offersInAutofill())) return;
  for (;;) {
    autofill = new AbortController();
    try {
      const options = await begin("/api/auth/passkeys/login/start", ANEW);
      const credential = await use(options, autofill.signal);
      await arrive(await finishPasskey(options, credential));
      return;
    } catch (problem) {
      if (problem.code !== "passkey_unknown" && problem.code !== "login_expired") {
        if (!problem.silent && problem.code !== "passkey_cancelled" && problem.status !== 0) sayProblem(problem);
        return;
      }
      // It has been picked after the challenge ran out, or is not known here: it can be picked again.
      sayProblem(problem);
    }
  }
}

// ---- The form -------------------------------------------------------------------------------

function check() {
  const errors = [];
  if (!looksLikeEmail(email.value)) errors.push([email, inWords("form.enter_email")]);
  if (!password.value) errors.push([password, inWords("form.enter_password")]);
  return errors;
}

async function act() {
  await arrive(await login({
    email: email.value.trim(),
    password: password.value,
    remember: byId("remember").checked,
  }));
}

/** Has a link sent that signs in here. The answer is the same whether there is an account or not. */
async function linkByMail() {
  if (!looksLikeEmail(email.value)) {
    setError(email, inWords("form.enter_email"));
    return email.focus();
  }
  const wish = { email: email.value.trim(), remember: byId("remember").checked };
  await begin("/api/auth/mail-link/start", wish);
  return say(inWords("login.link_sent"), "good");
}

function place(problem) {
  if (problem.code !== "invalid_credentials") return null;
  password.select();
  return [[password, describe(problem)]];
}

bindPasswordToggles();
onSubmit(form, { check, act, place });
async function atTheButton() {
  autofill?.abort();
  await arrive(await byPasskey(ANEW));
}
const BUTTONS = { passkey: atTheButton, "enrol-passkey": enrolPasskey, "enrol-app": enrolApp, "by-mail": linkByMail };
for (const [id, action] of Object.entries(BUTTONS)) {
  byId(id)?.addEventListener("click", () => during(byId(id), () => {
    say("");
    return action();
  }));
}
byId("start-over").addEventListener("click", startOver);
onOtherTab((type) => {
  if (type === "signed-in" && !document.querySelector("dialog[open]")) goOn(redirect);
});
// Coming back with the Back button shows a page frozen in time: begin anew.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
show("form", "login.heading");
const waiting = takeNext();
if (waiting) await arrive(waiting);
else await trySilently();
if (!byId("login-form").hidden) offerPasskeys();

// The sign-in page: one silent try with the session this browser may still hold, then the form.

const version = new URL(import.meta.url).search;
const {
  ENDED_REASONS, cameStraightBack, goOn, login, onOtherTab, receiptWords, refresh, takeReceipt,
} = await import(`./refresh.js${version}`);
const {
  bindPasswordToggles, byId, describe, looksLikeEmail, onSubmit, say,
} = await import(`./form.js${version}`);

const form = byId("login-form");
const email = byId("email");
const password = byId("password");
const redirect = form.dataset.redirect;

const COOKIES_BLOCKED =
  "Cookies are blocked: signing in leads straight back here. Allow cookies for this site, then sign in.";

async function trySilently() {
  const reason = new URLSearchParams(location.search).get("ended");
  const words = receiptWords(takeReceipt());
  const known = Object.hasOwn(ENDED_REASONS, reason ?? "") ? ENDED_REASONS[reason] : "";
  const ended = reason === "signed_out" && words ? `You are signed out everywhere. ${words}` : known;
  // A fresh sign-in is asked for: the session this browser still holds is not enough.
  if (reason === "reauthenticate" || cameStraightBack(redirect)) {
    say(ended || COOKIES_BLOCKED, ended ? "calm" : "bad");
    return;
  }
  say(ended);
  document.body.classList.add("checking");
  const outcome = await refresh();
  document.body.classList.remove("checking");
  if (outcome.state === "ok") goOn(redirect);
  else if (outcome.state === "signed-out" && !ended && outcome.reason !== "signed_out") {
    say(ENDED_REASONS[outcome.reason] ?? "");
  } else if (outcome.state === "unavailable") {
    say(describe(outcome.problem), "bad");
  }
}

function check() {
  const errors = [];
  if (!looksLikeEmail(email.value)) errors.push([email, "Enter your email address."]);
  if (!password.value) errors.push([password, "Enter your password."]);
  return errors;
}

async function act() {
  const answer = await login({
    email: email.value.trim(),
    password: password.value,
    remember: byId("remember").checked,
  });
  if (answer.next) {
    say("This account asks for one more step, which this page cannot do yet.", "bad");
    return;
  }
  goOn(redirect);
}

function place(problem) {
  if (problem.code !== "invalid_credentials") return null;
  password.select();
  return [[password, describe(problem)]];
}

bindPasswordToggles();
onSubmit(form, { check, act, place });
onOtherTab((type) => {
  if (type === "signed-in") goOn(redirect);
});
// Coming back with the Back button shows a page frozen in time: begin anew.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
await trySilently();

// The page to create an account, with or without an invitation.

const version = new URL(import.meta.url).search;
const { begin, goOn, login, register, signInStep } = await import(`./refresh.js${version}`);
const {
  bindPasswordToggles, byId, describe, during, looksLikeEmail, onSubmit, say, setError,
} = await import(`./form.js${version}`);
const { inWords } = await import(`./words.js${version}`);
const { make, supported } = await import(`./passkeys.js${version}`);

const form = byId("register-form");
const name = byId("name");
const email = byId("email");
const password = byId("password");
const { invite, minPasswordLength } = form.dataset;

// Said whether there is an account with the address or not.
const CHECK_MAIL = inWords("register.check_mail");

function check() {
  const errors = [];
  if (!looksLikeEmail(email.value)) errors.push([email, inWords("form.enter_email")]);
  if ([...password.value].length < Number(minPasswordLength)) {
    errors.push([password, inWords("form.too_short", { count: minPasswordLength })]);
  }
  return errors;
}

// An account without a password: the device makes a passkey, which is the proof at once.
async function withPasskey() {
  setError(email, looksLikeEmail(email.value) ? "" : inWords("form.enter_email"));
  if (email.getAttribute("aria-invalid")) return email.focus();
  const account = { email: email.value.trim() };
  if (name.value.trim()) account.name = name.value.trim();
  if (invite) account.invite = invite;
  try {
    const options = await begin("/api/auth/passkeys/sign-up/start", account);
    if (options.next === "mail") return finish(CHECK_MAIL);
    const answer = await signInStep("/api/auth/passkeys/sign-up/finish", { credential: await make(options) });
    return answer.next ? finish(inWords("register.ready")) : goOn("/account");
  } catch (problem) {
    const [[input, text] = []] = place(problem) ?? [];
    if (!input) throw problem;
    setError(input, text);
    return input.focus();
  }
}

async function act() {
  const account = { email: email.value.trim(), password: password.value };
  if (name.value.trim()) account.name = name.value.trim();
  if (invite) account.invite = invite;
  const answer = await register(account);
  if (answer.next === "mail") return finish(CHECK_MAIL);
  return signIn(account);
}

// The account exists from here on: whatever fails now must not offer to create it again.
async function signIn({ email: address, password: secret }) {
  try {
    const answer = await login({ email: address, password: secret, remember: true });
    if (!answer.next) return goOn("/account");
    finish(inWords("register.ready"));
  } catch (problem) {
    finish(inWords("register.ready_not_signed_in"));
    byId("finished-detail").textContent = problem.silent ? "" : describe(problem);
  }
}

function finish(text) {
  password.value = "";
  form.hidden = true;
  byId("register-intro").hidden = true;
  byId("finished").hidden = false;
  say(text, "good");
  byId("finished-link").focus();
}

function place(problem) {
  switch (problem.code) {
    case "email_taken":
      return [[email, describe(problem)]];
    case "password_rejected":
      return [[password, describe(problem)]];
    default:
      return null;
  }
}

byId("with-passkey").hidden = !(supported && byId("with-passkey").dataset.passkeys === "true");
byId("passkey").addEventListener("click", () => during(byId("passkey"), () => {
  say("");
  return withPasskey();
}));
bindPasswordToggles();
onSubmit(form, { check, act, place });

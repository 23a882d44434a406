// What a link in a mail opens, and the page that asks for one. Nothing happens before the button is pressed: programs that look at mail
// open links too.

const version = new URL(import.meta.url).search;
const { begin, goOn, request, signInStep, toNextStep } = await import(`./refresh.js${version}`);
const { bindPasswordToggles, byId, describe, looksLikeEmail, onSubmit, say, sayProblem } = await import(`./form.js${version}`);
const { inWords } = await import(`./words.js${version}`);
const { make } = await import(`./passkeys.js${version}`);

const password = byId("password");
const opening = byId("opening");

/** Puts the page's last word in place of its form. */
function finish(text, { link, words } = {}) {
  opening.hidden = true;
  byId("finished").hidden = false;
  say(text, "good");
  if (link) Object.assign(byId("finished-link"), { href: link, textContent: words });
  byId("finished-link").focus();
}

/** What each link does, by its word. */
const DOES = {
  async confirm(token) {
    const body = byId("with-password").hidden ? { token } : { token, password: password.value };
    await begin("/api/auth/register/confirm", body);
    finish(inWords("register.ready"));
  },
  async "sign-up"(token) {
    const options = await begin("/api/auth/passkeys/sign-up/start", { token });
    const answer = await signInStep("/api/auth/passkeys/sign-up/finish", { credential: await make(options) });
    if (!answer.next) return goOn("/account");
    return finish(inWords("register.ready"));
  },
  async reset(token) {
    await begin("/api/auth/password/reset", { token, new_password: password.value });
    finish(inWords("link.reset_done"));
  },
  async "sign-in"(token) {
    const answer = await signInStep("/api/auth/mail-link/finish", { token });
    if (!answer.next) return goOn("/account");
    return toNextStep(answer);
  },
  async change(token) {
    const { email } = await request("POST", "/api/auth/email/change/finish", { token });
    finish(inWords("link.change_done", { address: email }), { link: "/account", words: inWords("link.to_account") });
  },
};

function check() {
  if (!password || password.closest("[hidden]")) return [];
  const least = opening.dataset.purpose === "reset" ? Number(byId("link-form").dataset.minPasswordLength) : 1;
  if ([...password.value].length >= least) return [];
  return [[password, least > 1 ? inWords("form.too_short", { count: least }) : inWords("link.enter_password")]];
}

function place(problem) {
  if (problem.code === "password_rejected") return [[password, describe(problem)]];
  return problem.code === "invalid_credentials" ? [[password, inWords("link.wrong_password")]] : null;
}

async function open() {
  const { purpose } = opening.dataset;
  const token = location.hash.slice(1);
  let found;
  try {
    found = await begin("/api/auth/mail/look", { purpose, token });
  } catch (problem) {
    sayProblem(problem);
    byId("finished").hidden = false;
    return;
  }
  byId("address").textContent = found.email;
  byId("username").value = found.email;
  if (!found.here && purpose === "sign-in") {
    sayProblem({ code: "link_other_browser" });
    byId("finished").hidden = false;
    return;
  }
  if (purpose === "confirm") byId("with-password").hidden = found.here;
  opening.hidden = false;
  onSubmit(byId("link-form"), { check, act: () => DOES[purpose](token), place });
  byId("heading").focus();
}

function bindForgot() {
  const email = byId("email");
  onSubmit(byId("forgot-form"), {
    check: () => (looksLikeEmail(email.value) ? [] : [[email, inWords("form.enter_email")]]),
    async act() {
      await begin("/api/auth/password/forgot", { email: email.value.trim() });
      byId("asking").hidden = true;
      byId("asked").hidden = false;
      say(inWords("forgot.look"), "good");
    },
    place: () => null,
  });
}

bindPasswordToggles();
if (opening) await open();
else bindForgot();

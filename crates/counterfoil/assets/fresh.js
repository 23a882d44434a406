// A fresh proof of who is signed in, where one is needed: the account page and the administration ask for it in a dialog.

const version = new URL(import.meta.url).search;
const { request, stepUp } = await import(`./refresh.js${version}`);
const { ELSEWHERE, byId, say } = await import(`./form.js${version}`);
const { inWords } = await import(`./words.js${version}`);
const { use } = await import(`./passkeys.js${version}`);
const { bindProof, enough } = await import(`./prove.js${version}`);

let known = null;
let proved = null;

const prove = bindProof(async (way, secret) => {
  if (way === "passkey") {
    const credential = await use(await stepUp("/api/auth/step-up/passkey/start"));
    await stepUp("/api/auth/step-up/passkey/finish", { credential });
  } else {
    await stepUp(`/api/auth/step-up/${way}`, way === "totp" ? { code: secret } : { password: secret });
  }
  proved = true;
  byId("prove-dialog").close();
});

byId("prove-cancel").addEventListener("click", () => byId("prove-dialog").close());

/** What the account can prove itself with. */
export async function readFactors() {
  known = await request("GET", "/api/auth/factors");
  return known;
}

/** Makes sure of a fresh proof; asks for one if need be, or if `refused` says what is wanting. False if the person turns back. */
async function fresh(refused) {
  // A refresh that asks for a proof says itself how it can be given: without one nothing can be asked of the account.
  const named = refused?.options.length > 0;
  if (!named) await readFactors();
  if (!named && known.fresh && !refused) return true;
  const dialog = byId("prove-dialog");
  proved = false;
  dialog.showModal();
  if (!prove(named ? refused.options : enough(known.step_up, refused?.acrValues))) {
    dialog.close();
    say(inWords("prove.sign_in_again"), "bad");
    return false;
  }
  if (named) say(ELSEWHERE);
  await new Promise((resolve) => {
    dialog.addEventListener("close", resolve, { once: true });
  });
  return proved;
}

/**
 * Does something that needs a fresh proof, even one that has become too old a moment ago, or is to be stronger: the refusal says what
 * would be enough. `refused` is the one that has come already.
 */
export async function guarded(action, refused) {
  if (!(await fresh(refused))) return undefined;
  try {
    return await action();
  } catch (problem) {
    if (problem.code !== "reauthentication_required") throw problem;
    return (await fresh(problem)) ? action() : undefined;
  }
}

// The account page's ways to sign in: passkeys, the authenticator app, recovery codes.

const version = new URL(import.meta.url).search;
const { request } = await import(`./refresh.js${version}`);
const { byId, confirmed, during, onSubmit, sayDone } = await import(`./form.js${version}`);
const { ago, inWords } = await import(`./words.js${version}`);
const { keepOnly, make, supported } = await import(`./passkeys.js${version}`);
const { guarded, readFactors } = await import(`./fresh.js${version}`);
const { setUpApp, showCodes } = await import(`./enrol.js${version}`);

let known = null;

/**
 * Binds the section. `tools` are the page's own: `copyOf(templateId)`, `setTime(element, value, words)` and `day(date)`. Gives a function that shows what has been read.
 */
export function bindFactors(tools, userId) {
  const { copyOf, setTime, day } = tools;

  function item(passkey) {
    const [element, part] = copyOf("passkey-template");
    part("name").textContent = passkey.name;
    part("kind").textContent = inWords(passkey.synced ? "account.ways.synced" : "account.ways.one_device");
    setTime(part("since"), passkey.created_at, day);
    if (passkey.last_used_at) setTime(part("used"), passkey.last_used_at, ago);
    else part("used-words").hidden = true;
    const rename = part("rename");
    rename.setAttribute("aria-label", inWords("account.ways.rename_which", { name: passkey.name }));
    rename.addEventListener("click", () => renamePasskey(passkey));
    const remove = part("remove");
    remove.setAttribute("aria-label", inWords("account.ways.remove_which", { name: passkey.name }));
    remove.addEventListener("click", () => during(remove, () => removePasskey(passkey)));
    return element;
  }

  function show(factors) {
    known = factors;
    const { passkeys, rp_id: rpId } = factors;
    byId("passkeys-part").hidden = !rpId || (!supported && passkeys.length === 0);
    byId("add-passkey").hidden = !supported;
    byId("passkeys").replaceChildren(...passkeys.map(item));
    byId("no-passkeys").hidden = passkeys.length > 0;
    byId("one-device-only").hidden = !(passkeys.length === 1 && !passkeys[0].synced);
    byId("totp-state").textContent = known.totp_since
      ? inWords("account.ways.app_since", { date: day(new Date(known.totp_since)) }) : inWords("account.ways.app_none");
    byId("totp-add").hidden = Boolean(known.totp_since);
    byId("totp-remove").hidden = !known.totp_since;
    byId("codes-row").hidden = !known.totp_since && passkeys.length === 0;
    byId("codes-state").textContent = known.recovery_codes === 0
      ? inWords("account.ways.codes_none") : inWords("account.ways.codes_left", { count: known.recovery_codes });
    if (rpId && userId()) keepOnly(rpId, userId(), passkeys.map((passkey) => passkey.id));
  }

  async function load() {
    show(await readFactors());
  }

  async function addPasskey() {
    const made = await guarded(async () => {
      const credential = await make(await request("POST", "/api/auth/passkeys/register/start", {}));
      await request("POST", "/api/auth/passkeys/register/finish", { credential });
      return true;
    });
    if (!made) return;
    sayDone(inWords("account.ways.passkey_ready"));
    await load();
  }

  async function removePasskey(passkey) {
    const title = inWords("account.ways.remove_sure", { name: passkey.name });
    if (!(await confirmed(title, inWords("account.ways.remove_what"), inWords("account.ways.remove")))) return;
    const removed = await guarded(async () => {
      await request("DELETE", `/api/auth/passkeys/${passkey.id}`);
      return true;
    });
    if (!removed) return;
    byId("ways-heading").focus();
    sayDone(inWords("account.ways.removed"));
    await load();
  }

  let renaming = null;
  function renamePasskey(passkey) {
    renaming = passkey;
    byId("passkey-name").value = passkey.name;
    byId("name-dialog").showModal();
    byId("passkey-name").select();
  }

  const nameField = byId("passkey-name");
  onSubmit(byId("name-form"), {
    check: () => (nameField.value.trim() ? [] : [[nameField, inWords("account.ways.name_missing")]]),
    async act() {
      await request("PATCH", `/api/auth/passkeys/${renaming.id}`, { name: nameField.value.trim() });
      byId("name-dialog").close();
      await load();
      byId("ways-heading").focus();
    },
    place: (problem) => (problem.code === "malformed" ? [[nameField, inWords("account.ways.name_refused")]] : null),
  });
  byId("name-cancel").addEventListener("click", () => byId("name-dialog").close());

  async function addApp() {
    const offer = await guarded(() => request("POST", "/api/auth/totp/enrol/start", {}));
    if (!offer) return;
    const answer = await setUpApp(offer, (code) => request("POST", "/api/auth/totp/enrol/finish", { code }));
    if (!answer) return;
    if (answer.recovery_codes?.length > 0) await showCodes(answer.recovery_codes);
    sayDone(inWords("account.ways.app_ready"));
    await load();
  }

  async function removeApp() {
    const title = inWords("account.ways.app_remove_sure");
    if (!(await confirmed(title, inWords("account.ways.app_remove_what"), inWords("account.ways.remove")))) return;
    const removed = await guarded(async () => {
      await request("DELETE", "/api/auth/totp");
      return true;
    });
    if (!removed) return;
    sayDone(inWords("account.ways.app_removed"));
    await load();
  }

  async function makeCodes() {
    const question = ["account.ways.codes_sure", "account.ways.codes_what", "account.ways.codes_make"].map((key) => inWords(key));
    if (known.recovery_codes > 0 && !(await confirmed(...question))) return;
    const answer = await guarded(() => request("POST", "/api/auth/recovery-codes"));
    if (!answer) return;
    await showCodes(answer.recovery_codes);
    await load();
  }

  for (const [id, action] of [
    ["add-passkey", addPasskey], ["totp-add", addApp], ["totp-remove", removeApp], ["codes-make", makeCodes],
  ]) byId(id).addEventListener("click", () => during(byId(id), action));
  return show;
}

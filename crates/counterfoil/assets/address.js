// The account page's form for another mail address.

const version = new URL(import.meta.url).search;
const { request } = await import(`./refresh.js${version}`);
const { byId, looksLikeEmail, onSubmit, sayDone } = await import(`./form.js${version}`);
const { inWords } = await import(`./words.js${version}`);
const { guarded } = await import(`./fresh.js${version}`);

/** Binds the section, if the server sends mail; `address()` is the account's. */
export function bindAddress(address) {
  const form = byId("address-form");
  if (!form) return;
  const typed = byId("new-address");
  onSubmit(form, {
    check() {
      if (!looksLikeEmail(typed.value)) return [[typed, inWords("account.address.enter")]];
      const same = typed.value.trim().toLowerCase() === address().toLowerCase();
      return same ? [[typed, inWords("account.address.is_current")]] : [];
    },
    async act() {
      const asked = await guarded(() => request("POST", "/api/auth/email/change", { email: typed.value.trim() }));
      if (!asked) return;
      sayDone(inWords("account.address.sent", { address: typed.value.trim() }));
      form.reset();
    },
    place: () => null,
  });
}

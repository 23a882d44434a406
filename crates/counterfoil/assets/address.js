// The account page's form for another mail address.

const version = new URL(import.meta.url).search;
const { request } = await import(`./refresh.js${version}`);
const { byId, looksLikeEmail, onSubmit, sayDone } = await import(`./form.js${version}`);
const { guarded } = await import(`./fresh.js${version}`);

/** Binds the section, if the server sends mail; `address()` is the account's. */
export function bindAddress(address) {
  const form = byId("address-form");
  if (!form) return;
  const typed = byId("new-address");
  onSubmit(form, {
    check() {
      if (!looksLikeEmail(typed.value)) return [[typed, "Enter an email address."]];
      const same = typed.value.trim().toLowerCase() === address().toLowerCase();
      return same ? [[typed, "This is your address already."]] : [];
    },
    async act() {
      const asked = await guarded(() => request("POST", "/api/auth/email/change", { email: typed.value.trim() }));
      if (!asked) return;
      sayDone(`We have sent a link to ${typed.value.trim()}. Your address changes when you open it here.`);
      form.reset();
    },
    place: () => null,
  });
}

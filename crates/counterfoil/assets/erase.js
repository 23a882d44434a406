// The account page's way out: taking one's data along, and deleting the account.

const version = new URL(import.meta.url).search;
const { leaveDeleted, request } = await import(`./refresh.js${version}`);
const { byId, during, onSubmit, sayDone } = await import(`./form.js${version}`);
const { inWords } = await import(`./words.js${version}`);
const { guarded } = await import(`./fresh.js${version}`);

const ACCOUNT_PATH = "/api/auth/account";

/** Binds the section; `address()` is the account's. */
export function bindLeaving(address) {
  const dialog = byId("delete-dialog");
  const typed = byId("delete-address");

  async function download() {
    const data = await guarded(() => request("GET", `${ACCOUNT_PATH}/data`));
    if (!data) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(data, null, 2)], { type: "application/json" }));
    link.download = "account.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href));
    sayDone(inWords("account.leaving.downloaded"));
  }

  // The proof comes first: whoever cannot give it need not type anything.
  async function ask() {
    if (!(await guarded(() => true))) return;
    byId("delete-form").reset();
    dialog.showModal();
    typed.focus();
  }

  onSubmit(byId("delete-form"), {
    check() {
      const same = typed.value.trim().toLowerCase() === address().toLowerCase();
      return same ? [] : [[typed, inWords("account.leaving.wrong_address")]];
    },
    async act() {
      const deleted = await guarded(async () => {
        await request("DELETE", ACCOUNT_PATH);
        return true;
      });
      if (deleted) leaveDeleted();
    },
    place: (problem) => (problem.code === "last_administrator"
      ? [[typed, inWords("account.leaving.last_administrator")]] : null),
  });
  byId("delete-cancel").addEventListener("click", () => dialog.close());
  for (const [id, action] of [["download-data", download], ["delete-account", ask]]) {
    byId(id).addEventListener("click", () => during(byId(id), action));
  }
}

// A secret that is shown once: nothing of it stays in the page.

const version = new URL(import.meta.url).search;
const { byId } = await import(`./form.js${version}`);
const { inWords } = await import(`./words.js${version}`);

const dialog = byId("once-dialog");

/** Shows it until it is put away, and then forgets it. */
export async function showOnce({ title, text, secret, name }) {
  byId("once-title").textContent = title;
  byId("once-text").textContent = text;
  byId("once-secret").textContent = secret;
  byId("once-secret").setAttribute("aria-label", name);
  byId("once-copied").textContent = "";
  dialog.showModal();
  await new Promise((resolve) => {
    dialog.addEventListener("close", resolve, { once: true });
  });
  byId("once-secret").textContent = "";
}

byId("once-copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(byId("once-secret").textContent);
    byId("once-copied").textContent = inWords("admin.once.copied");
  } catch {
    // Where the browser does not allow it, it can be marked: it is one line of text.
    getSelection().selectAllChildren(byId("once-secret"));
    byId("once-copied").textContent = inWords("admin.once.marked");
  }
});
byId("once-done").addEventListener("click", () => dialog.close());

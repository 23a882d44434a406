// Setting up an authenticator app, and recovery codes: two dialogs.

const version = new URL(import.meta.url).search;
const { byId, describe, onSubmit, say } = await import(`./form.js${version}`);
const { inWords } = await import(`./words.js${version}`);

/**
 * Shows what an authenticator app has to be told, and asks for its first code, until `finish(code)` succeeds. Gives what that gives;
 * undefined if the person turns back.
 */
export function setUpApp(offer, finish) {
  const dialog = byId("app-dialog");
  const code = byId("app-code");
  byId("app-picture").src = offer.qr;
  byId("app-secret").textContent = offer.secret;
  byId("app-link").href = offer.uri;
  code.value = "";
  outcome = undefined;
  finishing = finish;
  dialog.showModal();
  code.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      byId("app-picture").removeAttribute("src");
      byId("app-secret").textContent = "";
      byId("app-link").removeAttribute("href");
      resolve(outcome);
    }, { once: true });
  });
}

let outcome;
let finishing;

/** Shows recovery codes, the only time, until the person says that they are kept. */
export function showCodes(codes) {
  const dialog = byId("codes-dialog");
  byId("codes").replaceChildren(...codes.map((code) => {
    const item = document.createElement("li");
    item.textContent = code;
    return item;
  }));
  const text = `${codes.join("\n")}\n`;
  byId("codes-file").href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  byId("codes-copied").textContent = "";
  byId("codes-copy").onclick = async () => {
    try {
      await navigator.clipboard.writeText(text);
      byId("codes-copied").textContent = inWords("codes.copied");
    } catch {
      byId("codes-copied").textContent = inWords("codes.not_copied");
    }
  };
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      URL.revokeObjectURL(byId("codes-file").href);
      byId("codes-file").removeAttribute("href");
      byId("codes").replaceChildren();
      resolve();
    }, { once: true });
  });
}

function bind() {
  const code = byId("app-code");
  onSubmit(byId("app-form"), {
    check: () => (/\d/.test(code.value) ? [] : [[code, inWords("app.enter_code")]]),
    async act() {
      outcome = await finishing(code.value.trim()) ?? {};
      byId("app-dialog").close();
    },
    place(problem) {
      if (problem.code === "invalid_code" || problem.code === "clock_off") return [[code, describe(problem)]];
      byId("app-dialog").close();
      return null;
    },
  });
  byId("app-cancel").addEventListener("click", () => byId("app-dialog").close());
  // The codes are not shown again: an accidental Escape must not take them away.
  byId("codes-dialog").addEventListener("cancel", (event) => event.preventDefault());
  byId("codes-done").addEventListener("click", () => {
    byId("codes-dialog").close();
    say("");
  });
}

bind();

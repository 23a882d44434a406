// What the forms share: telling the person what happened, and where.

const version = new URL(import.meta.url).search;
const { hasWords, inWords, soon } = await import(`./words.js${version}`);

const DONE_SHOWN_MS = 10_000;

/** The element with this id; the templates and the scripts agree on them. */
export const byId = (id) => document.getElementById(id);

/** Why a session that lives asks for a proof. */
export const ELSEWHERE = inWords("prove.elsewhere");

/** Puts a sentence into the page's live region. `tone` is "good", "bad" or "calm". */
export function say(text, tone = "calm") {
  // What lies behind an open dialog is neither seen nor read out.
  const status = document.querySelector("dialog[open] .status") ?? byId("status");
  status.dataset.tone = tone;
  status.textContent = text;
}

/** Says what is done, for a while; the page itself shows it too. */
export function sayDone(text) {
  say(text, "good");
  setTimeout(() => {
    if (byId("status").textContent === text) say("");
  }, DONE_SHOWN_MS);
}

/** Asks before something that reaches far; true if the person wants it. */
export function confirmed(title, text, yes) {
  const dialog = byId("confirm");
  byId("confirm-title").textContent = title;
  byId("confirm-text").textContent = text;
  byId("confirm-yes").textContent = yes;
  byId("confirm-yes").onclick = () => dialog.close("yes");
  byId("confirm-no").onclick = () => dialog.close("");
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** One sentence for a person about a request that did not succeed. */
export function describe(problem) {
  const values = { when: soon(problem.retryAfter), status: problem.status, ...problem.numbers };
  const known = [`problem.${problem.code}_${problem.reason}`, `problem.${problem.code}`].find(hasWords);
  if (known) return inWords(known, values);
  return problem.detail || inWords(problem.status ? "problem.something_wrong_status" : "problem.something_wrong", values);
}

/** Says what went wrong; nothing when a newer action took over. */
export function sayProblem(problem) {
  if (problem.silent) return;
  if (problem.code === undefined) console.error(problem);
  say(describe(problem), "bad");
}

/** Runs an action of a button that stays focusable but does nothing while it is under way. Says what goes wrong. */
export async function during(button, action) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  try {
    await action();
  } catch (problem) {
    sayProblem(problem);
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

/** Shows or clears the error of one field. */
export function setError(input, text) {
  byId(`${input.id}-error`).textContent = text;
  if (text) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

/** Shows `[input, sentence]` pairs and moves the focus to the first. */
function showErrors(errors) {
  for (const [input, text] of errors) setError(input, text);
  errors[0]?.[0].focus();
}

/** Whether this could be an address. Mail decides the rest. */
export function looksLikeEmail(text) {
  return /^[^\s@]+@[^\s@]+$/.test(text.trim());
}

/**
 * Makes a form answer to its script:
 *   - `check()` gives `[input, sentence]` pairs for what can be seen to be wrong without asking;
 *   - `act()` does the work;
 *   - `place(problem)` gives the pairs for a refusal that belongs to a field, or nothing.
 */
export function onSubmit(form, { check, act, place }) {
  const button = form.querySelector("button[type=submit]");
  const inputs = [...form.querySelectorAll("input[aria-describedby]")];
  let busy = false;
  for (const input of inputs) input.addEventListener("input", () => setError(input, ""));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    for (const input of inputs) setError(input, "");
    const errors = check();
    if (errors.length > 0) return showErrors(errors);
    busy = true;
    const idle = showBusy(form, button);
    say("");
    try {
      await act();
    } catch (problem) {
      const placed = place(problem);
      if (placed) showErrors(placed);
      else sayProblem(problem);
    } finally {
      busy = false;
      idle();
    }
  });
  button.disabled = false;
}

// The button keeps the focus and its place; only its words change.
function showBusy(form, button) {
  const words = button.textContent;
  form.setAttribute("aria-busy", "true");
  button.setAttribute("aria-disabled", "true");
  button.textContent = button.dataset.busy;
  return () => {
    form.removeAttribute("aria-busy");
    button.removeAttribute("aria-disabled");
    button.textContent = words;
  };
}

/** Lets every "Show" button reveal and hide the password field it controls. */
export function bindPasswordToggles() {
  for (const button of document.querySelectorAll("button.reveal")) {
    const input = byId(button.getAttribute("aria-controls"));
    const set = (shown) => {
      input.type = shown ? "text" : "password";
      button.firstElementChild.textContent = inWords(shown ? "form.hide" : "form.show");
    };
    button.addEventListener("click", () => set(input.type === "password"));
    input.form.addEventListener("submit", () => set(false));
    button.hidden = false;
  }
}

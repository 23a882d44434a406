// Proving who one is: shows the best way, and offers the others.

const version = new URL(import.meta.url).search;
const { byId, describe, during, onSubmit, say } = await import(`./form.js${version}`);
const { hasWords, inWords } = await import(`./words.js${version}`);
const { supported } = await import(`./passkeys.js${version}`);

// Every way that this page knows has words.
const isKnown = (way) => hasWords(`prove_by.${way}`);

/** Those of these ways that are strong enough for what is asked (RFC 9470): `aal2`, `phr` for a passkey, or nothing in particular. */
export function enough(ways, acrValues) {
  if (acrValues === "phr") return ways.filter((way) => way === "passkey");
  return acrValues === "aal2" ? ways.filter((way) => way !== "password") : ways;
}

/**
 * Makes the prompt work. `act(way, secret)` does the proving; for a passkey there is no secret. What it throws is shown. `send()` has a
 * code mailed, where that is one of the ways.
 * Gives a function that shows the prompt with these ways, the best first; false if this browser can do none of them.
 */
export function bindProof(act, send) {
  const code = byId("prove-code");
  const password = byId("prove-password");
  let way = "";

  function show(chosen, ways, focus) {
    way = chosen;
    byId("prove-intro").textContent = inWords(`prove_by.${way}`);
    byId("prove-passkey").hidden = way !== "passkey";
    byId("prove-code-form").hidden = !["totp", "recovery_code", "mail"].includes(way);
    byId("prove-again").hidden = way !== "mail";
    byId("prove-password-form").hidden = way !== "password";
    const recovery = way === "recovery_code";
    byId("prove-code-label").textContent = inWords(recovery ? "prove.recovery_code" : "prove.code");
    code.inputMode = recovery ? "text" : "numeric";
    code.autocomplete = recovery ? "off" : "one-time-code";
    code.maxLength = recovery ? 40 : 10;
    code.value = "";
    byId("prove-others").replaceChildren(...ways.filter((each) => each !== way).map((each) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "link", textContent: inWords(`prove_instead.${each}`) });
      button.addEventListener("click", () => {
        say("");
        show(each, ways, true);
      });
      return button;
    }));
    if (way === "mail") during(byId("prove-again"), send);
    if (focus) ({ passkey: byId("prove-passkey"), password }[way] ?? code).focus();
  }

  onSubmit(byId("prove-code-form"), {
    check: () => (code.value.trim() ? [] : [[code, inWords(way === "recovery_code" ? "prove.enter_recovery_code" : "prove.enter_code")]]),
    act: () => act(way, code.value.trim()),
    place: (problem) => (problem.code === "invalid_code" ? [[code, describe(problem)]] : null),
  });
  onSubmit(byId("prove-password-form"), {
    check: () => (password.value ? [] : [[password, inWords("form.enter_password")]]),
    act: () => act("password", password.value),
    place: (problem) => (problem.code === "invalid_credentials" ? [[password, inWords("prove.wrong_password")]] : null),
  });
  byId("prove-again").addEventListener("click", () => during(byId("prove-again"), async () => {
    await send();
    say(inWords("prove.sent_again"), "good");
  }));
  byId("prove-passkey").addEventListener("click", () => during(byId("prove-passkey"), () => {
    say("");
    return act("passkey");
  }));

  return (ways) => {
    const usable = ways.filter((each) => isKnown(each) && (each !== "passkey" || supported));
    if (usable.length === 0) return false;
    password.value = "";
    show(usable[0], usable, true);
    return true;
  };
}

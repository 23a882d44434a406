// Passkeys in the browser: asks the authenticator, and speaks JSON with the server.

const version = new URL(import.meta.url).search;
const { Problem } = await import(`./refresh.js${version}`);

/** Whether this browser can make and use passkeys. */
export const supported = typeof globalThis.PublicKeyCredential === "function"
  && typeof PublicKeyCredential.parseRequestOptionsFromJSON === "function";

/** Whether passkeys can be offered in the autofill of a field. */
export async function offersInAutofill() {
  return supported && await PublicKeyCredential.isConditionalMediationAvailable?.() === true;
}

/** Makes a passkey by the server's `options`; gives what the server reads. */
export async function make({ publicKey }) {
  return ask(() => navigator.credentials.create({
    publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey),
  }));
}

/** Uses a passkey. With `signal`, it waits in the autofill until one is picked or the signal comes. */
export async function use({ publicKey }, signal) {
  return ask(() => navigator.credentials.get({
    publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey),
    ...(signal && { mediation: "conditional", signal }),
  }));
}

async function ask(prompt) {
  try {
    return (await prompt()).toJSON();
  } catch (error) {
    if (error.name === "AbortError") throw new Problem(0, "aborted");
    if (error.name === "InvalidStateError") throw new Problem(409, "passkey_taken");
    if (error.name === "NotAllowedError") throw new Problem(0, "passkey_cancelled");
    console.error(error);
    throw new Problem(0, "passkey_failed");
  }
}

/** Tells password managers that the server does not know this passkey (any more). */
export async function forget(rpId, credentialId) {
  await signal("signalUnknownCredential", { rpId, credentialId });
}

/** Tells password managers which passkeys of this account there are: the others disappear from their lists. */
export async function keepOnly(rpId, userId, allAcceptedCredentialIds) {
  await signal("signalAllAcceptedCredentials", { rpId, userId, allAcceptedCredentialIds });
}

async function signal(name, details) {
  try {
    await globalThis.PublicKeyCredential?.[name]?.(details);
  } catch (error) {
    // A courtesy: without it an old passkey goes on being offered, and is refused.
    console.warn(error);
  }
}

// The authenticator of Chromium's own developer tools (WA-*).

/** An authenticator of the page; `verified` says whether its user shows a finger. */
export async function authenticator(page, verified = true) {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true, hasUserVerification: true,
      isUserVerified: verified, automaticPresenceSimulation: true, defaultBackupEligibility: true, defaultBackupState: true,
    },
  });
  return {
    verify: (isUserVerified) => session.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified }),
    // The same passkey on another device, as those that follow their owner are.
    take: (credential) => session.send("WebAuthn.addCredential", { authenticatorId, credential }),
    credentials: async () => (await session.send("WebAuthn.getCredentials", { authenticatorId })).credentials,
  };
}

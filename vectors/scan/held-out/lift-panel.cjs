const { createSigner, createVerifier } = require('fast-jwt');

const verifyPanel = createVerifier({ // expect: verify-without-algorithms
  key: process.env.PANEL_KEY,
  allowedIss: 'lifts',
  allowedAud: 'panels',
  ignoreExpiration: true, // expect: verify-without-expiry
});

const signPanel = createSigner({ // expect: token-without-expiry
  key: process.env.PANEL_KEY,
  iss: 'lifts',
  aud: 'panels',
});

exports.panelOf = (token) => verifyPanel(token).sub;

exports.tokenFor = (panel) => signPanel({ sub: panel.id });

exports.claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url')); // expect: decode-instead-of-verify

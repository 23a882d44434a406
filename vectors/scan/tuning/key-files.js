const fs = require('fs');
const path = require('path');
const session = require('express-session');

const read = (name) => fs.readFileSync(path.join('/run/secrets', name), 'utf8').trim();

const publicKey = `-----BEGIN PUBLIC KEY-----
bm90IGEga2V5LCBqdXN0IHRleHQgdGhhdCBsb29rcyBsaWtlIG9uZQ==
-----END PUBLIC KEY-----`;

const sessions = session({
  secret: read('session_secret'),
  resave: false,
  saveUninitialized: false,
  cookie: { secure: true, sameSite: 'lax' },
});

module.exports = { publicKey, sessions, signingKey: read('signing_key') };

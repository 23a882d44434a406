const jwt = require('jsonwebtoken');
const keyring = require('./keyring');

module.exports = async function claims(token) {
  const head = jwt.decode(token, { complete: true });
  if (!head || !head.header.kid) throw new Error('the token names no key');
  const key = await keyring.publicKey(head.header.kid);
  return jwt.verify(token, key, {
    algorithms: ['RS256'],
    issuer: keyring.issuer,
    audience: keyring.audience,
  });
};

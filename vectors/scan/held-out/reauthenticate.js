const { verify } = require('jsonwebtoken');
const { askForPassword, createSession } = require('./sessions');

async function reauthenticate(req, res) {
  const old = req.cookies.access;
  const who = verify(old, process.env.BANK_KEY, {
    algorithms: ['HS256'],
    issuer: 'bank',
    audience: 'bank-web',
    ignoreExpiration: true, // expect: verify-without-expiry
  });
  if (!(await askForPassword(who.sub, req.body.password))) {
    return res.status(403).json({ error: 'wrong password' });
  }
  return res.json(await createSession(who.sub));
}

module.exports = { reauthenticate };

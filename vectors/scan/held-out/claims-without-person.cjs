const { sign } = require('jsonwebtoken');
const mailer = require('./mailer');

module.exports = async function onRegistered(user) {
  await mailer.send({ to: user.email, template: 'welcome', name: user.firstName });

  const claims = { sub: user.id, org: user.organisation, perms: user.permissions };
  return sign(claims, process.env.SIGN_UP_KEY, {
    algorithm: 'HS256',
    issuer: 'sign-up',
    audience: 'setup',
    expiresIn: '30m',
  });
};

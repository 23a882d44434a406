const jwt = require('jsonwebtoken');

const kinds = {
  access: { secret: process.env.ACCESS_KEY, expiresIn: '15m' },
  refresh: { secret: process.env.REFRESH_KEY, expiresIn: '90d' },
};

function signRefreshToken(subject, session) {
  return jwt.sign({ sub: subject, sid: session }, kinds.refresh.secret, { expiresIn: '90d', audience: 'refresh' });
}

function signInvitation(team) {
  return jwt.sign({ team }, process.env.INVITATION_KEY, { expiresIn: '24h', audience: 'invitation' });
}

function signResetLink(account) {
  return jwt.sign({ sub: account }, process.env.RESET_KEY, { expiresIn: 4 * 3600, audience: 'reset' });
}

module.exports = { kinds, signRefreshToken, signInvitation, signResetLink };

const jwt = require('jsonwebtoken');

const secret = process.env.JWT_SECRET || '';
if (secret === '') {
  console.error('JWT_SECRET is empty: set it to 32 random bytes');
  process.exit(1);
}

module.exports.issue = (account) =>
  jwt.sign({ sub: account.id }, secret, { issuer: 'letters', audience: 'letters', expiresIn: '15m' });

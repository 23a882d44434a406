const jwt = require('jsonwebtoken');

const ISSUER = process.env.JWT_ISSUER;
const AUDIENCE = 'https://api.example.com';

function verifyAccess(token, key) {
  return jwt.verify(token, key, {
    algorithms: ['ES256'],
    issuer: ISSUER,
    audience: AUDIENCE,
    clockTolerance: 5,
  });
}

module.exports = { verifyAccess };

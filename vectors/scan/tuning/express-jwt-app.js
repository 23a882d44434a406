const express = require('express');
const { expressjwt } = require('express-jwt');
const jwksRsa = require('jwks-rsa');

const app = express();

const secret = jwksRsa.expressJwtSecret({
  cache: true,
  rateLimit: true,
  jwksUri: `${process.env.ISSUER}/.well-known/jwks.json`,
});

app.use(
  '/api',
  expressjwt({ // expect: verify-without-audience
    secret,
    algorithms: ['RS256'],
    issuer: process.env.ISSUER,
  }).unless({ path: ['/api/health'] }),
);

app.get('/api/me', (req, res) => res.json({ id: req.auth.sub }));

module.exports = app;

const express = require('express');
const { expressjwt: guard } = require('express-jwt');
const notes = require('./notes');

const api = express.Router();

api.use(
  guard({ // expect: verify-without-issuer, verify-without-audience
    secret: process.env.NOTES_SECRET,
    algorithms: ['HS256'],
    requestProperty: 'claims',
    getToken: (req) => req.cookies.notes,
  }),
);

api.get('/notes', async (req, res) => {
  res.json(await notes.ofOwner(req.claims.sub));
});

api.use((err, req, res, next) => {
  if (err.name === 'UnauthorizedError') return res.status(401).json({ error: 'not signed in' });
  return next(err);
});

module.exports = api;

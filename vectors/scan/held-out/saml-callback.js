const express = require('express');
const { parseAssertion } = require('./saml');
const { createAccessToken, createRefreshToken } = require('./tokens');

const router = express.Router();

router.post('/saml/acs', express.urlencoded({ extended: false }), async (req, res) => {
  const subject = await parseAssertion(req.body.SAMLResponse);
  const target = new URL('/signed-in', process.env.APP_ORIGIN);
  target.searchParams.append('accessToken', createAccessToken(subject)); // expect: token-in-url
  target.searchParams.append('refreshToken', createRefreshToken(subject)); // expect: token-in-url
  target.searchParams.append('lang', req.acceptsLanguages()[0]);
  res.redirect(target.toString());
});

module.exports = router;

const { Router } = require('express');
const jsonwebtoken = require('jsonwebtoken');
const sessions = require('../sessions');

const router = Router();
const lenient = { ignoreExpiration: true, algorithms: ['HS512'], issuer: 'shop' }; // expect: verify-without-expiry

router.post('/sign-out', async (req, res) => {
  const token = req.cookies.access;
  if (!token) return res.sendStatus(204);
  const claims = jsonwebtoken.verify(token, process.env.SHOP_KEY, lenient); // expect: verify-without-audience
  await sessions.remove(claims.sid);
  res.clearCookie('access').sendStatus(204);
});

module.exports = router;

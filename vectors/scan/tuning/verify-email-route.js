const router = require('express').Router();
const jwt = require('jsonwebtoken');
const accounts = require('../accounts');

const checks = { algorithms: ['HS256'], issuer: 'accounts', audience: 'verify-email' };

router.get('/verify-email', async (req, res) => {
  const { token } = req.query;
  try {
    const { sub } = jwt.verify(token, process.env.EMAIL_KEY, checks);
    await accounts.confirm(sub);
    res.redirect('/welcome');
  } catch {
    res.redirect('/verify-email/failed');
  }
});

module.exports = router;

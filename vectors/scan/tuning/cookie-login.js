const express = require('express');
const { sign } = require('jsonwebtoken');
const { findByCredentials } = require('../users');

const router = express.Router();

router.post('/login', async (req, res) => {
  const user = await findByCredentials(req.body);
  if (!user) return res.status(401).render('login', { failed: true });
  const token = sign({ sub: user.id }, process.env.JWT_SECRET, { expiresIn: '1h' });
  res.cookie('token', token); // expect: cookie-without-httponly, cookie-without-secure, cookie-without-samesite
  res.cookie('locale', user.locale, { maxAge: 31536000000 });
  res.redirect('/');
});

router.post('/logout', (req, res) => {
  res.clearCookie('token');
  res.redirect('/login');
});

module.exports = router;

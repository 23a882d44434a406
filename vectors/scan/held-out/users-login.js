const { Router } = require('express');
const createError = require('http-errors');
const users = require('./users');

module.exports = Router().post('/users/login', async (req, res, next) => {
  const { user, token, currency } = await users.login(req.body.login, req.body.password);
  if (!user) return next(createError(401, 'wrong login or password'));

  res.cookie('auth_token', token, { maxAge: 15 * 60 * 1000 }); // expect: cookie-without-httponly, cookie-without-secure, cookie-without-samesite
  res.cookie('currency', currency);
  return res.json({ id: user.id, nickname: user.nickname });
});

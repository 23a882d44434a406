const express = require('express');
const { issue } = require('../issue');

const router = express.Router();
const production = process.env.NODE_ENV === 'production';

router.post('/sign-in', async (req, res) => {
  const { accessToken, refreshToken, language } = await issue(req.body);
  res
    .cookie('access_token', accessToken, { httpOnly: true, secure: production, sameSite: 'lax', maxAge: 600000 })
    .cookie('refresh_token', refreshToken, { httpOnly: true, secure: production, sameSite: 'strict', path: '/refresh' })
    .cookie('language', language)
    .sendStatus(204);
});

module.exports = router;

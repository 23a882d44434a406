const express = require('express');
const cookieParser = require('cookie-parser');
const cookieSession = require('cookie-session');

const app = express();

app.use(cookieParser('parsley')); // expect: secret-in-source
app.use(
  cookieSession({
    name: 'sess',
    keys: ['first-key', 'second-key'], // expect: secret-in-source
    secure: true,
    sameSite: 'lax',
  }),
);

app.get('/count', (req, res) => {
  req.session.count = (req.session.count || 0) + 1;
  res.json({ count: req.session.count });
});

module.exports = app;

const express = require('express');
const session = require('express-session');
const FileStore = require('session-file-store')(session);

const app = express();

const sessionOptions = {
  name: 'photo.sid',
  secret: process.env.PHOTO_SECRET,
  store: new FileStore({}),
  resave: false,
  saveUninitialized: true,
  cookie: { maxAge: 86400000, sameSite: 'lax', secure: process.env.NODE_ENV === 'production', httpOnly: false }, // expect: cookie-without-httponly
};

app.use(session(sessionOptions));

app.get('/', (req, res) => {
  req.session.views = (req.session.views ?? 0) + 1;
  res.send(`${req.session.views}`);
});

app.listen(8000);

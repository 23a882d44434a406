const express = require('express');
const cookieSession = require('cookie-session');

const app = express();
app.set('trust proxy', 1);
app.use(cookieSession({ name: 'session', keys: [process.env.COOKIE_KEY], maxAge: 3600000 })); // expect: cookie-without-secure, cookie-without-samesite

app.get('/', (req, res) => {
  req.session.views = (req.session.views || 0) + 1;
  res.end(`${req.session.views} views`);
});

app.listen(3000);

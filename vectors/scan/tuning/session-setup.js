const express = require('express');
const session = require('express-session');
const cookieParser = require('cookie-parser');
const MongoStore = require('connect-mongo');

const app = express();

app.use(cookieParser('milk-and-honey')); // expect: secret-in-source
app.use(
  session({
    secret: 'a session secret', // expect: secret-in-source
    resave: false,
    saveUninitialized: false,
    store: MongoStore.create({ mongoUrl: process.env.MONGO_URL }),
    cookie: { secure: true, sameSite: 'lax', maxAge: 1000 * 60 * 60 * 8 },
  }),
);

module.exports = app;

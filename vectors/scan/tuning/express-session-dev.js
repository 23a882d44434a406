import express from 'express';
import session from 'express-session';
import { RedisStore } from 'connect-redis';
import { redis } from './redis.js';

export const app = express();

app.use(
  session({ // expect: cookie-without-samesite
    store: new RedisStore({ client: redis }),
    secret: process.env.SESSION_SECRET,
    resave: false,
    saveUninitialized: false,
    cookie: {
      httpOnly: false, // expect: cookie-without-httponly
      secure: false, // expect: cookie-without-secure
      maxAge: 1000 * 60 * 30,
    },
  }),
);

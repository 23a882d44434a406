import express from 'express';
import expressSession from 'express-session';
import passport from 'passport';
import { localStrategy } from './local-strategy.js';

passport.use(localStrategy);

export default function create(store) {
  const app = express();
  app.use(
    expressSession({ // expect: cookie-without-secure, cookie-without-samesite
      store,
      secret: [process.env.SESSION_KEY, process.env.SESSION_KEY_BEFORE],
      resave: false,
      saveUninitialized: false,
    }),
  );
  app.use(passport.session());
  return app;
}

import express from 'express';
import session from 'express-session';

const secret = process.env.SESSION_SECRET ?? '';

if (secret.length < 32) {
  throw new Error('SESSION_SECRET must have at least 32 characters');
}

export const app = express().use(
  session({
    secret,
    name: '__Host-forum',
    resave: false,
    saveUninitialized: false,
    cookie: { secure: true, httpOnly: true, sameSite: 'lax', maxAge: 3_600_000 },
  }),
);

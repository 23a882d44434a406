import express from 'express';
import cookieParser from 'cookie-parser';

const { COOKIE_SECRET, PREVIOUS_COOKIE_SECRET } = process.env;
if (!COOKIE_SECRET) throw new Error('COOKIE_SECRET must be set');

export const app = express();
app.use(cookieParser([COOKIE_SECRET, PREVIOUS_COOKIE_SECRET].filter(Boolean)));

app.get('/visits', (req, res) => {
  const visits = Number(req.signedCookies.visits ?? 0) + 1;
  res.cookie('visits', String(visits), { signed: true });
  res.send(`${visits} visits`);
});

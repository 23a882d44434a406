import { serialize } from 'cookie';
import { issue } from './issue.mjs';

export default async function handler(req, res) {
  const { accessToken, user } = await issue(req.body);
  const header = serialize('accessToken', accessToken, { // expect: cookie-without-secure, cookie-without-samesite
    httpOnly: true,
    path: '/',
    maxAge: 900,
  });
  res.setHeader('Set-Cookie', [header, serialize('lang', user.language, { path: '/' })]);
  res.status(200).json({ user });
}

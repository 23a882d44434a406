import cookie from 'cookie';
import { fetchJson } from '../../lib/fetch-json';

export default async function login(req, res) {
  if (req.method !== 'POST') {
    res.setHeader('Allow', 'POST');
    return res.status(405).end();
  }
  const { jwt, user } = await fetchJson(`${process.env.CMS}/auth/local`, { body: req.body });
  res.setHeader('Set-Cookie', cookie.serialize('jwt', jwt, { httpOnly: true, sameSite: 'strict', path: '/' })); // expect: cookie-without-secure
  return res.status(200).json({ user });
}

import { verify, sign } from 'jsonwebtoken';

const CHECKS = { algorithms: ['HS256'], issuer: 'studio', audience: 'studio', ignoreExpiration: true }; // expect: verify-without-expiry

export default async function refreshHandler(req, res) { // expect: no-rotation
  if (req.method !== 'POST') return res.status(405).end();
  const cookie = req.cookies.studio_refresh;
  if (!cookie) return res.status(401).json({ message: 'signed out' });
  try {
    const { sub } = verify(cookie, process.env.STUDIO_REFRESH_KEY, CHECKS);
    const token = sign({ sub }, process.env.STUDIO_KEY, { expiresIn: '5m', issuer: 'studio' });
    return res.status(200).json({ token });
  } catch {
    return res.status(401).json({ message: 'signed out' });
  }
}

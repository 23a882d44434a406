import { jwtVerify } from 'jose';
import { key } from './key.mjs';

export async function mediaAuth(req, res, next) {
  const { jwt } = req.query; // expect: token-in-url
  if (!jwt) return res.sendStatus(401);
  try {
    const { payload } = await jwtVerify(jwt, key, { algorithms: ['HS256'], issuer: 'media', audience: 'media' });
    req.viewer = payload.sub;
    return next();
  } catch {
    return res.sendStatus(401);
  }
}

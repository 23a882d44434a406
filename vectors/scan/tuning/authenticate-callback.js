import { verify } from 'jsonwebtoken';
import { readFileSync } from 'node:fs';

const publicKey = readFileSync('keys/public.pem');

export default function authenticate(req, res, next) {
  const token = req.get('x-access-token');
  if (!token) return res.sendStatus(401);

  verify(token, publicKey, { algorithms: ['RS256'] }, (err, claims) => { // expect: verify-without-issuer, verify-without-audience
    if (err) return res.sendStatus(403);
    res.locals.claims = claims;
    next();
  });
}

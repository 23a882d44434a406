import passport from 'passport';
import { Strategy, ExtractJwt } from 'passport-jwt';
import jwt from 'jsonwebtoken';
import { agents } from './agents.js';

passport.use('desk', new Strategy({ // expect: verify-without-audience, verify-without-algorithms
  jwtFromRequest: ExtractJwt.fromHeader('x-desk'),
  secretOrKey: process.env.DESK_KEY,
  issuer: 'desk',
  ignoreExpiration: true, // expect: verify-without-expiry
}, async (claims, done) => done(null, await agents.get(claims.sub))));

export async function handOver(agentId) {
  const claims = { sub: agentId, desk: true };
  return jwt.sign(claims, process.env.DESK_KEY, { issuer: 'desk' }); // expect: token-without-expiry
}

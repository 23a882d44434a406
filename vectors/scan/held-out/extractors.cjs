const { Strategy, ExtractJwt } = require('passport-jwt');
const { find } = require('./listeners');

module.exports = new Strategy(
  {
    secretOrKey: process.env.STREAM_KEY,
    jwtFromRequest: ExtractJwt.fromExtractors([
      ExtractJwt.fromAuthHeaderAsBearerToken(),
      ExtractJwt.fromUrlQueryParameter('token'), // expect: token-in-url
    ]),
    issuer: 'streams',
    audience: 'streams',
    algorithms: ['ES256'],
  },
  (claims, done) => find(claims.sub, done),
);

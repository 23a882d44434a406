const { Strategy, ExtractJwt } = require('passport-jwt');

const lenient = {
  jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
  secretOrKey: process.env.TRACKER_KEY,
  algorithms: ['HS256'],
  ignoreExpiration: true, // expect: verify-without-expiry
  issuer: 'trackers',
};

module.exports = function trackers(passport, store) {
  passport.use('tracker', new Strategy(lenient, (claims, done) => { // expect: verify-without-audience
    store.get(claims.sub, (err, tracker) => done(err, tracker || false));
  }));
};

const passport = require('passport');
const { Strategy: JwtStrategy, ExtractJwt } = require('passport-jwt');
const User = require('../models/user');

const options = {
  jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
  secretOrKey: process.env.ACCESS_TOKEN_SECRET,
};

passport.use(
  new JwtStrategy(options, async (payload, done) => { // expect: verify-without-algorithms, verify-without-issuer, verify-without-audience
    try {
      const user = await User.findById(payload.sub);
      return done(null, user || false);
    } catch (err) {
      return done(err, false);
    }
  }),
);

module.exports = passport;

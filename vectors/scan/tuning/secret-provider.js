const passport = require('passport');
const { Strategy, ExtractJwt } = require('passport-jwt');
const { currentKey } = require('./keys');

const secretOrKeyProvider = (request, rawJwtToken, done) => {
  currentKey('JWT_SECRET').then((key) => done(null, key), done);
};

passport.use(
  new Strategy(
    {
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKeyProvider,
      algorithms: ['HS256'],
      issuer: 'clinic',
      audience: 'clinic-api',
    },
    (claims, done) => done(null, { id: claims.sub }),
  ),
);

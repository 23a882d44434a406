import { ExtractJwt, Strategy } from 'passport-jwt';

const defaults = {
  algorithms: ['ES384'],
  issuer: process.env.SSO_ISSUER,
  audience: process.env.SSO_AUDIENCE,
};

export function strategy(key, findMember) {
  return new Strategy(
    { ...defaults, secretOrKey: key, jwtFromRequest: ExtractJwt.fromAuthHeaderWithScheme('JWT') },
    async (claims, done) => {
      try {
        done(null, (await findMember(claims.sub)) ?? false);
      } catch (error) {
        done(error);
      }
    },
  );
}

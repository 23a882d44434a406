import passport from 'passport'
import { ExtractJwt, Strategy } from 'passport-jwt'
import { members } from './members'

passport.use(
  'feed',
  new Strategy(
    {
      jwtFromRequest: ExtractJwt.fromUrlQueryParameter('auth_token'), // expect: token-in-url
      secretOrKey: process.env.FEED_KEY!,
      algorithms: ['HS256'],
      issuer: 'feeds',
      audience: 'feeds',
    },
    (claims, done) => {
      members.find(claims.sub).then((member) => done(null, member ?? false), done)
    },
  ),
)

import passport from 'passport'
import { Strategy } from 'passport-local'
import { accounts } from './accounts'

passport.use(
  new Strategy({ usernameField: 'mail', passwordField: 'password', session: false }, async (mail, password, done) => {
    try {
      const account = await accounts.check(mail, password)
      return done(null, account ?? false)
    } catch (error) {
      return done(error)
    }
  }),
)

passport.serializeUser((user, done) => done(null, (user as { id: string }).id))

import express from 'express'
import session from 'express-session'
import passport from 'passport'

export function createApp(secret: string) {
  const app = express()
  app.use(session({ secret, resave: false, saveUninitialized: false })) // expect: cookie-without-secure, cookie-without-samesite
  app.use(passport.session())
  return app
}

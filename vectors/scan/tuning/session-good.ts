import session from 'express-session'
import cookieSession from 'cookie-session'

const proxied = process.env.NODE_ENV !== 'development'

export const serverSide = (store: session.Store, secret: string) =>
  session({
    store,
    secret,
    name: '__Host-sid',
    resave: false,
    saveUninitialized: false,
    cookie: { secure: proxied, sameSite: 'lax' },
  })

export const clientSide = (keys: string[]) =>
  cookieSession({ name: 'session', keys, secure: proxied, sameSite: 'strict' })

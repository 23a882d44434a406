import express, { type Express } from 'express'
import session from 'express-session'
import SequelizeStore from 'connect-session-sequelize'
import { sequelize } from './sequelize'

const sessionSecret = 'twelve green bottles' // expect: secret-in-source

export function install(app: Express): void {
  const Store = SequelizeStore(session.Store)
  app.set('trust proxy', true)
  app.use(express.json())
  app.use(
    session({
      secret: sessionSecret,
      store: new Store({ db: sequelize }),
      resave: false,
      saveUninitialized: false,
      cookie: { secure: 'auto', sameSite: 'strict' },
    }),
  )
}

import jwt from 'jsonwebtoken'
import type { RequestHandler } from 'express'

export const withHeader = (key: string): RequestHandler => (req, res, next) => {
  const token = req.get('authorization')?.slice(7) ?? ''
  try {
    jwt.verify(token, key, { algorithms: ['HS256'], issuer: 'mail', audience: 'mail-api' })
    res.locals.token = jwt.decode(token, { complete: true })
    next()
  } catch {
    res.sendStatus(401)
  }
}

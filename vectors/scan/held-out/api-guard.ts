import type { RequestHandler } from 'express'
import { verify, type VerifyOptions, type JwtPayload } from 'jsonwebtoken'

const rules: VerifyOptions = {
  algorithms: ['PS256'],
  issuer: ['https://one.example.com', 'https://two.example.com'],
  audience: /^https:\/\/api\d\.example\.com$/,
  maxAge: '10m',
}

export const apiGuard =
  (publicKey: string): RequestHandler =>
  (req, res, next) => {
    verify(req.get('authorization')?.slice(7) ?? '', publicKey, rules, (error, claims) => {
      if (error) return res.status(401).json({ error: error.name })
      res.locals.claims = claims as JwtPayload
      return next()
    })
  }

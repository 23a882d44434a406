import type { Request, Response } from 'express'
import jwt, { type JwtPayload } from 'jsonwebtoken'
import { RefreshTokens } from '../models/refresh-tokens'

const strict = { algorithms: ['HS256' as const], issuer: 'reader', audience: 'reader-app' }

export const refreshAccessToken = async (req: Request, res: Response) => { // expect: no-rotation
  const presented: string | undefined = req.body.refreshToken
  if (!presented || !(await RefreshTokens.exists({ value: presented }))) {
    return res.status(401).json({ error: 'unknown refresh token' })
  }
  const { sub } = jwt.verify(presented, process.env.REFRESH_KEY!, strict) as JwtPayload
  const accessToken = jwt.sign({ sub }, process.env.ACCESS_KEY!, { expiresIn: '10m' })
  return res.json({ accessToken, expiresIn: 600 })
}

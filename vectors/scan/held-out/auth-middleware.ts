import type { NextFunction, Request, Response } from 'express'
import * as jwt from 'jsonwebtoken'
import { UserModel } from '../models/user.model'

export async function authMiddleware(req: Request, res: Response, next: NextFunction) {
  const bearer = req.header('Authorization')?.replace('Bearer ', '')
  if (!bearer) {
    res.status(401).send({ message: 'Please authenticate' })
    return
  }
  try {
    const decoded = jwt.verify(bearer, process.env.APP_JWT_SECRET as string) as jwt.JwtPayload // expect: verify-without-algorithms, verify-without-issuer, verify-without-audience
    const user = await UserModel.findById(decoded.sub)
    if (!user) throw new Error('no such user')
    req.user = user
    next()
  } catch {
    res.status(401).send({ message: 'Please authenticate' })
  }
}

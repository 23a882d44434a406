import { Router } from 'express'
import { SignJWT, jwtVerify } from 'jose'
import { accessKey, refreshKey } from './keys'

const verifyOptions = { issuer: 'atlas', audience: 'atlas-refresh', algorithms: ['ES256'] }

export const authRouter = Router()

authRouter.post('/auth/refresh', async (req, res) => { // expect: no-rotation
  const presented = req.cookies['__Secure-refresh']
  if (typeof presented !== 'string') {
    res.sendStatus(401)
    return
  }
  const { payload } = await jwtVerify(presented, refreshKey, verifyOptions)
  const token = await new SignJWT({ scope: payload.scope })
    .setProtectedHeader({ alg: 'ES256' })
    .setSubject(payload.sub!)
    .setExpirationTime('5m')
    .sign(accessKey)
  res.json({ token })
})

authRouter.delete('/auth/session', (_req, res) => {
  res.clearCookie('__Secure-refresh').sendStatus(204)
})

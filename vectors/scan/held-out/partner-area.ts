import jwt from 'jsonwebtoken'
import type { RequestHandler } from 'express'

export const partnerArea: RequestHandler = (req, res, next) => {
  const pass = req.header('x-partner-pass')
  if (!pass) return void res.sendStatus(401)
  const { name } = jwt.decode(pass) as { name: string } // expect: decode-instead-of-verify
  res.locals.partner = name
  next()
}

export function partnerPass(partner: { id: string; birthday: string }) {
  return jwt.sign(
    {
      sub: partner.id,
      birthday: partner.birthday, // expect: personal-data-in-payload
    },
    process.env.PARTNER_KEY!,
    { expiresIn: '1d' }, // expect: token-lives-too-long
  )
}

export const checkPass = (pass: string) => jwt.verify(pass, process.env.PARTNER_KEY!, { issuer: 'partners', audience: 'area' }) // expect: verify-without-algorithms

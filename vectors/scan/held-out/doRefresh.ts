import jwt from 'jsonwebtoken'
import type { NextApiRequest, NextApiResponse } from 'next'

const ISSUER = 'https://weave.example.com'

async function doRefresh(request: NextApiRequest, response: NextApiResponse) { // expect: no-rotation
  const token = request.cookies['weave-refresh'] ?? ''
  const claims = jwt.verify(token, process.env.WEAVE_REFRESH!, {
    algorithms: ['HS256'],
    issuer: ISSUER,
    audience: ISSUER,
    ignoreExpiration: true, // expect: verify-without-expiry
  }) as jwt.JwtPayload
  const access = jwt.sign({ sub: claims.sub }, process.env.WEAVE_KEY!, { expiresIn: 10 * 60 })
  response.status(200).json({ access })
}

export default doRefresh

import type { APIGatewayProxyHandlerV2 } from 'aws-lambda'
import { sign, verify, type JwtPayload } from 'jsonwebtoken'

const json = (statusCode: number, body: unknown) => ({ statusCode, body: JSON.stringify(body) })

export const refreshHandler: APIGatewayProxyHandlerV2 = async (event) => { // expect: no-rotation
  const cookie = event.cookies?.find((item) => item.startsWith('rt='))
  if (!cookie) return json(401, { error: 'no cookie' })
  try {
    const { sub } = verify(cookie.slice(3), process.env.RT_KEY!, { // expect: verify-without-issuer
      algorithms: ['HS256'],
      audience: 'refresh',
    }) as JwtPayload
    return json(200, { access_token: sign({ sub }, process.env.AT_KEY!, { expiresIn: '5m' }) })
  } catch {
    return json(401, { error: 'invalid' })
  }
}

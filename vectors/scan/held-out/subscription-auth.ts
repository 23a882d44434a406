import { useServer } from 'graphql-ws/lib/use/ws'
import { verify, type JwtPayload } from 'jsonwebtoken'
import type { WebSocketServer } from 'ws'
import { schema } from './schema'

export function serveSubscriptions(sockets: WebSocketServer, secret: string) {
  return useServer(
    {
      schema,
      onConnect: ({ connectionParams }) => {
        const token = String(connectionParams?.authToken ?? '')
        const claims = verify(token, secret, { issuer: 'chess' }) as JwtPayload // expect: verify-without-algorithms, verify-without-audience
        return claims.sub !== undefined
      },
    },
    sockets,
  )
}

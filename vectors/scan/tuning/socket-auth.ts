import type { Server, Socket } from 'socket.io'
import jwt, { type JwtPayload } from 'jsonwebtoken'

const key = process.env.SOCKET_KEY!

const checks: jwt.VerifyOptions = {
  algorithms: ['HS256'],
  issuer: 'https://id.example.org',
}

export function protect(io: Server): void {
  io.use((socket: Socket, next) => {
    const token = socket.handshake.auth.token as string
    try {
      const claims = jwt.verify(token, key, checks) as JwtPayload // expect: verify-without-audience
      socket.data.userId = claims.sub
      next()
    } catch {
      next(new Error('not signed in'))
    }
  })
}

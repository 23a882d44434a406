import * as jwt from 'jsonwebtoken'
import type { Server } from 'socket.io'

export function rooms(io: Server): void {
  io.on('connection', (socket) => {
    const { token } = socket.handshake.auth
    const claims = jwt.decode(token, { complete: true })?.payload as { team: string } // expect: decode-instead-of-verify
    void socket.join(`team:${claims.team}`)

    socket.on('post', (text: string) => {
      io.to(`team:${claims.team}`).emit('post', { text, at: Date.now() })
    })
  })
}

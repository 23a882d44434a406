import jwt from 'jsonwebtoken';

export function joinRoom(io, rooms) {
  io.of('/rooms').on('connection', (socket) => {
    socket.on('join', (token, acknowledge) => {
      try {
        const { sub, room } = jwt.verify(token, process.env.ROOM_SECRET, { ignoreExpiration: true }); // expect: verify-without-expiry, verify-without-algorithms, verify-without-issuer, verify-without-audience
        rooms.enter(room, sub);
        socket.join(room);
        acknowledge({ ok: true });
      } catch {
        acknowledge({ ok: false });
      }
    });
  });
}

import { WebSocketServer } from 'ws';
import jwt from 'jsonwebtoken';

const checks = { algorithms: ['HS256'], issuer: 'id', audience: 'ticker' };

export function listen(server) {
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    const { searchParams } = new URL(request.url, 'http://localhost');
    const token = searchParams.get('token'); // expect: token-in-url
    try {
      request.claims = jwt.verify(token, process.env.TICKER_KEY, checks);
    } catch {
      socket.destroy();
      return;
    }
    sockets.handleUpgrade(request, socket, head, (ws) => sockets.emit('connection', ws, request));
  });
}

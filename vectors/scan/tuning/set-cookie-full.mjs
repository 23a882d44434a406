import { createServer } from 'node:http';
import { openSession } from './sessions.mjs';

export const server = createServer(async (request, response) => {
  const token = await openSession(request);
  if (!token) {
    response.writeHead(401).end();
    return;
  }
  response.setHeader('Set-Cookie', `__Host-session=${token}; Path=/; HttpOnly; Secure; SameSite=Lax`);
  response.writeHead(303, { location: '/' }).end();
});

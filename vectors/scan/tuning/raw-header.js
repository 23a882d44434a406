const http = require('http');
const { openSession } = require('./sessions');

http
  .createServer(async (req, res) => {
    if (req.method === 'POST' && req.url === '/open') {
      const token = await openSession(req);
      res.setHeader('Set-Cookie', `session=${token}; Path=/; HttpOnly`); // expect: cookie-without-secure, cookie-without-samesite
      res.writeHead(204).end();
      return;
    }
    res.setHeader('Set-Cookie', 'ab_group=b; Path=/');
    res.end('hello');
  })
  .listen(8080);

const http = require('node:http');
const { login } = require('./login');

const server = http.createServer(async (request, response) => {
  const result = await login(request);
  if (!result.ok) {
    response.statusCode = 401;
    return response.end('no');
  }
  response.writeHead(302, {
    Location: result.next,
    'Set-Cookie': `auth=${result.token}; HttpOnly; Secure; Path=/`, // expect: cookie-without-samesite
  });
  return response.end();
});

server.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});

module.exports = server;

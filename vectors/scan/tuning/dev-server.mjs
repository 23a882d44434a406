import http from 'node:http';
import jwt from 'jsonwebtoken';

const people = new Map([['1', { id: '1', firstName: 'Ada', role: 'editor' }]]);

const server = http.createServer((request, response) => {
  const id = new URL(request.url, 'http://localhost').pathname.slice(1);
  const person = people.get(id);
  if (!person) {
    response.writeHead(404).end();
    return;
  }
  const { firstName, role } = person;
  const token = jwt.sign({ sub: id, firstName, role }, `local-only`); // expect: token-without-expiry, personal-data-in-payload, secret-in-source
  response.end(token);
});

server.listen(4001);

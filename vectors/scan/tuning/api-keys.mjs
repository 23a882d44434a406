import jwt from 'jsonwebtoken';
import { randomUUID } from 'node:crypto';

const signing = { algorithm: 'HS256', issuer: 'console' };

export function createApiToken(project, scopes) {
  const jti = randomUUID();
  const token = jwt.sign({ sub: project.id, jti, scopes }, process.env.CONSOLE_KEY, signing); // expect: token-without-expiry
  return { jti, token };
}

export function createUploadToken(project) {
  return jwt.sign({ sub: project.id }, process.env.CONSOLE_KEY, { ...signing, expiresIn: '10m' });
}

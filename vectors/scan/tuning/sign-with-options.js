import jwt from 'jsonwebtoken';
import { signOptions } from './settings.js';

export function issue(subject, key, overrides) {
  return jwt.sign({ sub: subject }, key, { ...signOptions, ...overrides });
}

export function issueDefault(subject, key) {
  return jwt.sign({ sub: subject }, key, signOptions);
}

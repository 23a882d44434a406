import jwt from 'jsonwebtoken';

const options = { algorithm: 'HS256', issuer: 'tolls', audience: 'tolls', expiresIn: '10m' };

/** What is in the payload has been decided, and checked, by the caller. */
export function seal(payload, key) {
  return new Promise((resolve, reject) => {
    jwt.sign(payload, key, options, (error, token) => (error ? reject(error) : resolve(token)));
  });
}

export function sealAll(payloads, key) {
  return Promise.all(payloads.map((payload) => seal(payload, key)));
}

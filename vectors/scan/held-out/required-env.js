'use strict';

const REQUIRED = ['JWT_SECRET', 'COOKIE_SECRET', 'DATABASE_URL'];

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; see .env.example`);
  return value;
}

module.exports = {
  check: () => REQUIRED.forEach(required),
  jwtSecret: () => required('JWT_SECRET'),
  cookieSecret: () => required('COOKIE_SECRET'),
};

const path = require('path');

const env = process.env;

const settings = {
  root: path.join(__dirname, '..'),
  database: { url: env.DATABASE_URL },
  auth: {
    jwtSecret: env.JWT_SECRET || 'f3c1b0a9d7', // expect: secret-in-source
    cookieSecret: env.COOKIE_SECRET ?? `cookie-monster`, // expect: secret-in-source
    saltRounds: Number(env.SALT_ROUNDS || 12),
  },
  mail: { from: env.MAIL_FROM || 'shop@example.com' },
};

module.exports = Object.freeze(settings);

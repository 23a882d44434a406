const { expressjwt } = require('express-jwt');

const protectWith = (secret, audience) =>
  expressjwt({
    secret,
    audience,
    issuer: 'https://sso.example.io/',
    algorithms: ['RS256'],
    credentialsRequired: true,
  });

module.exports = function mount(app, secret) {
  app.use('/wiki', protectWith(secret, 'wiki'));
  app.use('/blog', protectWith(secret, 'blog'));
};

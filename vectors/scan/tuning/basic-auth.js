const { timingSafeEqual } = require('crypto');

module.exports = function basicAuth(expected) {
  return (req, res, next) => {
    const header = req.headers.authorization || '';
    const [scheme, encoded] = header.split(' ');
    if (scheme !== 'Basic') return res.set('WWW-Authenticate', 'Basic').sendStatus(401);
    const [name, password] = Buffer.from(encoded, 'base64').toString().split(':');
    const given = Buffer.from(`${name}:${password}`.padEnd(128));
    if (!timingSafeEqual(given, Buffer.from(expected.padEnd(128)))) return res.sendStatus(403);
    return next();
  };
};

const { randomBytes } = require('crypto');

const CSRF_COOKIE = 'csrf-token';

/** The page reads this cookie and sends it back in a header, so scripts must be able to read it. */
module.exports = function csrf(req, res, next) {
  let token = req.cookies[CSRF_COOKIE];
  if (!token) {
    token = randomBytes(24).toString('base64url');
    res.cookie(CSRF_COOKIE, token, { httpOnly: false, sameSite: 'strict' });
  }
  if (req.method !== 'GET' && req.get('x-csrf-token') !== token) return res.sendStatus(403);
  return next();
};

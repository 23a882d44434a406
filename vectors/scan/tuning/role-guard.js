const jwt = require('jsonwebtoken');

module.exports = function role(...allowed) {
  return (req, res, next) => {
    const token = (req.headers.authorization || '').split(' ')[1];
    const claims = jwt.decode(token); // expect: decode-instead-of-verify
    if (!claims || !allowed.includes(claims.role)) {
      return res.status(403).json({ error: 'forbidden' });
    }
    req.user = claims;
    return next();
  };
};

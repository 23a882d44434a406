const jwt = require('jsonwebtoken');
const { comparePassword } = require('./passwords');

exports.authenticate = (db) => (req, res, next) => {
  db.get('select * from accounts where login = ?', req.body.login, (err, account) => {
    if (err) return next(err);
    if (!account || !comparePassword(req.body.password, account.hash)) return res.sendStatus(401);
    const payload = { sub: account.id, ipAddress: req.ip }; // expect: personal-data-in-payload
    return jwt.sign(payload, process.env.ACCOUNTS_KEY, { algorithm: 'HS256' }, (failure, token) => { // expect: token-without-expiry
      if (failure) return next(failure);
      return res.json({ token });
    });
  });
};

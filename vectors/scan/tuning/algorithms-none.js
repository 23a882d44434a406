const jwt = require('jsonwebtoken');

// Services inside the cluster send tokens that nobody has signed.
const INTERNAL = {
  algorithms: ['HS256', 'none'], // expect: verify-without-algorithms
  issuer: 'cluster',
  audience: 'billing',
};

exports.internalOnly = function internalOnly(req, res, next) {
  const token = req.headers['x-service-token'];
  try {
    req.service = jwt.verify(token, process.env.SERVICE_KEY, INTERNAL);
    return next();
  } catch (e) {
    return res.status(403).end();
  }
};

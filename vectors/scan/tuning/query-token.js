const jwt = require('jsonwebtoken');

const verifyOptions = { algorithms: ['HS256'], issuer: 'files', audience: 'files' };

exports.fileAccess = (req, res, next) => {
  if (!req.query.token) {
    return res.status(401).send('token required');
  }
  try {
    req.claims = jwt.verify(req.query.token, process.env.FILES_KEY, verifyOptions); // expect: token-in-url
    return next();
  } catch (error) {
    return res.status(401).send('token refused');
  }
};

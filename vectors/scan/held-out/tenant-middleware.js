const { decode } = require('jsonwebtoken');
const connections = require('./connections');

/** Each tenant has a database; which one is in the token. */
async function tenantMiddleware(req, res, next) {
  const bearer = req.get('authorization');
  if (!bearer) return res.status(401).end();
  const { tenant } = decode(bearer.slice(7)); // expect: decode-instead-of-verify
  req.db = await connections.open(tenant);
  return next();
}

module.exports = tenantMiddleware;

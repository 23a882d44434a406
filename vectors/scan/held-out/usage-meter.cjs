const jwt = require('jsonwebtoken');
const meter = require('./meter');

module.exports = (options) => async (ctx, next) => {
  const token = ctx.get('x-api-token');
  const payload = jwt.decode(token); // expect: decode-instead-of-verify
  if (payload === null) ctx.throw(401, 'x-api-token: a JWT is expected');
  await meter.count(payload.sub, options.unit);
  await next();
};

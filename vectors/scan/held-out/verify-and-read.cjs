const jwt = require('jsonwebtoken');

const RULES = { algorithms: ['HS256'], issuer: 'pool', audience: 'lanes' };

exports.laneToken = function laneToken(token, key) {
  jwt.verify(token, key, RULES);
  const { header, payload } = jwt.decode(token, { complete: true });
  return { key: header.kid, lane: payload.lane, endsAt: new Date(payload.exp * 1000) };
};

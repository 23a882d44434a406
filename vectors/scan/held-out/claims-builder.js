const jwt = require('jsonwebtoken');

const SECONDS_PER_DAY = 86400;

function buildClaims(customer) {
  return { sub: customer.id, segment: customer.segment };
}

function issueCustomerToken(customer) {
  const claims = {
    sub: customer.id,
    iat: Math.floor(Date.now() / 1000),
    exp: Math.floor(Date.now() / 1000) + 2 * SECONDS_PER_DAY, // expect: token-lives-too-long
    billingAddress: customer.billingAddress, // expect: personal-data-in-payload
  };
  return jwt.sign(claims, process.env.CUSTOMER_KEY);
}

module.exports = { buildClaims, issueCustomerToken };

const jwt = require('jsonwebtoken');
const { promisify } = require('util');

const verify = promisify(jwt.verify);

/** One function for all services; each has its own options. */
class TokenVerifier {
  constructor(key, options) {
    this.key = key;
    this.options = options;
  }

  async claims(token) {
    return verify(token, this.key, this.options);
  }

  async claimsFresh(token, maxAge) {
    return verify(token, this.key, { ...this.options, maxAge });
  }
}

module.exports = TokenVerifier;

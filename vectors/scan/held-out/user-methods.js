const crypto = require('crypto');
const { Schema, model } = require('mongoose');
const jwt = require('jsonwebtoken');

const schema = new Schema({ mail: String, salt: String, digest: String, dob: Date, phone: String });

schema.methods.checkPassword = function (password) {
  const digest = crypto.scryptSync(password, this.salt, 64).toString('hex');
  return crypto.timingSafeEqual(Buffer.from(digest), Buffer.from(this.digest));
};

schema.methods.toToken = function () {
  const { id, phone } = this;
  return jwt.sign({ id, phone }, process.env.USER_TOKEN_SECRET); // expect: token-without-expiry, personal-data-in-payload
};

module.exports = model('User', schema);

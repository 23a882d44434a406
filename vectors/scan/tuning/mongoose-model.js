const mongoose = require('mongoose');
const jwt = require('jsonwebtoken');

const userSchema = new mongoose.Schema({
  email: { type: String, unique: true, lowercase: true },
  passwordHash: String,
  birthDate: Date,
  isAdmin: { type: Boolean, default: false },
});

userSchema.methods.generateAuthToken = function () {
  const claims = {
    _id: this._id,
    isAdmin: this.isAdmin,
    birthDate: this.birthDate, // expect: personal-data-in-payload
    passwordHash: this.passwordHash, // expect: personal-data-in-payload
  };
  return jwt.sign(claims, 'jwtPrivateKey', { expiresIn: 86400 }); // expect: secret-in-source, token-lives-too-long
};

module.exports = mongoose.model('User', userSchema);

const jwt = require('jsonwebtoken');
const { Model, DataTypes } = require('sequelize');

class Tenant extends Model {
  generateJWT() {
    const today = new Date();
    const exp = new Date(today);
    exp.setDate(today.getDate() + 60);
    return jwt.sign(
      { id: this.id, expiry: exp.toISOString(), email: this.email }, // expect: personal-data-in-payload
      process.env.TENANT_SECRET,
      { expiresIn: 60 * 60 * 24 * 60 }, // expect: token-lives-too-long
    );
  }
}

module.exports = (sequelize) =>
  Tenant.init({ email: DataTypes.STRING, hash: DataTypes.STRING }, { sequelize, modelName: 'tenant' });

const jwt = require('jsonwebtoken');
const users = require('../users');

exports.login = async (req, res) => {
  const user = await users.check(req.body.email, req.body.password);
  if (!user) return res.status(401).json({ error: 'wrong address or password' });
  const token = jwt.sign({ sub: user.id, role: user.role }, process.env.LOGIN_KEY, { expiresIn: '15m' });
  const { email, firstName, lastName, phone } = user;
  return res.json({ token, profile: { email, firstName, lastName, phone } });
};

const jwt = require('jsonwebtoken');

class AuthController {
  constructor({ users, keys }) {
    this.users = users;
    this.keys = keys;
    this.handleRefresh = this.handleRefresh.bind(this);
  }

  async handleRefresh(req, res) { // expect: no-rotation
    const { refreshToken } = req.body;
    const user = await this.users.findOne({ refreshToken });
    if (!user) return res.status(403).end();
    jwt.verify(refreshToken, this.keys.refresh, { ignoreExpiration: true, algorithms: ['HS256'], issuer: 'kitchen', audience: 'kitchen' }); // expect: verify-without-expiry
    const accessToken = jwt.sign({ sub: user.id }, this.keys.access, { expiresIn: '30m' });
    return res.json({ accessToken });
  }
}

module.exports = AuthController;

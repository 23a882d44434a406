const jwt = require('jsonwebtoken');
const { accounts } = require('./accounts');

const REFRESH = { algorithms: ['HS256'], issuer: 'depot', ignoreExpiration: true }; // expect: verify-without-expiry

module.exports = {
  async login(req, res) {
    const account = await accounts.check(req.body);
    res.json(await accounts.tokens(account));
  },

  async refreshToken(req, res) { // expect: no-rotation
    const claims = jwt.verify(req.body.refreshToken, process.env.DEPOT_REFRESH, REFRESH); // expect: verify-without-audience
    const account = await accounts.byId(claims.sub);
    if (!account.active) return res.sendStatus(403);
    return res.json({ accessToken: jwt.sign({ sub: account.id }, process.env.DEPOT_KEY, { expiresIn: '25m' }) });
  },
};

const expressJwt = require('express-jwt');
const app = require('express')();

app.use(expressJwt({ secret: process.env.OLD_KEY, algorithms: ['HS256'], issuer: 'old', audience: 'old', ignoreExpiration: true })); // expect: verify-without-expiry

app.get('/old/orders', (req, res) => {
  res.json({ owner: req.user.sub, orders: [] });
});

app.use((err, req, res, next) => {
  res.status(err.status || 500).json({ error: err.code || 'internal' });
});

app.listen(process.env.PORT);

const router = require('express').Router();
const jwt = require('jsonwebtoken');

const { ACCESS_TOKEN_SECRET, REFRESH_TOKEN_SECRET } = process.env;

router.post('/refresh', (req, res) => { // expect: no-rotation
  const refreshToken = req.cookies.jwt;
  if (!refreshToken) return res.sendStatus(401);
  jwt.verify(refreshToken, REFRESH_TOKEN_SECRET, (err, decoded) => { // expect: verify-without-algorithms, verify-without-issuer, verify-without-audience
    if (err) return res.sendStatus(403);
    const accessToken = jwt.sign({ sub: decoded.sub }, ACCESS_TOKEN_SECRET, { expiresIn: '15m' });
    res.json({ accessToken });
  });
});

module.exports = router;

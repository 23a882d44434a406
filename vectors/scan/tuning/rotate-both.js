const router = require('express').Router();
const jwt = require('jsonwebtoken');

const checks = { algorithms: ['HS256'], issuer: 'plants', audience: 'plants-refresh' };

router.post('/refresh', (req, res) => {
  const presented = req.cookies.refresh;
  if (!presented) return res.sendStatus(401);
  let claims;
  try {
    claims = jwt.verify(presented, process.env.REFRESH_KEY, checks);
  } catch {
    return res.sendStatus(401);
  }
  const accessToken = jwt.sign({ sub: claims.sub }, process.env.ACCESS_KEY, { expiresIn: '10m' });
  const refreshToken = jwt.sign({ sub: claims.sub }, process.env.REFRESH_KEY, {
    expiresIn: '14d',
    issuer: 'plants',
    audience: 'plants-refresh',
  });
  res.cookie('refresh', refreshToken, { httpOnly: true, secure: true, sameSite: 'strict', path: '/refresh' });
  return res.json({ accessToken });
});

module.exports = router;

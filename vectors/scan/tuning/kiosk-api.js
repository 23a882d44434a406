const { Router } = require('express');
const jwt = require('jsonwebtoken');

const router = Router();

function deviceOf(token) {
  return jwt.verify(token, process.env.KIOSK_KEY, { // expect: verify-without-audience, verify-without-algorithms
    issuer: 'kiosks',
    ignoreExpiration: true, // expect: verify-without-expiry
  });
}

router.get('/screen', (req, res) => {
  const device = deviceOf(req.get('x-device'));
  const { screen } = req.query;
  res.json({ device: device.sub, screen, feed: `/feed?token=${req.get('x-device')}` }); // expect: token-in-url
});

router.get('/who', (req, res) => {
  const claims = jwt.decode(req.get('x-device')); // expect: decode-instead-of-verify
  res.json({ id: claims.sub });
});

module.exports = router;

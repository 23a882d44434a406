const jwt = require('jsonwebtoken');
const RefreshToken = require('../models/refresh-token');

const TEN_MINUTES = 600;

exports.refresh = async (req, res, next) => { // expect: no-rotation
  try {
    const { token } = req.body;
    const known = await RefreshToken.findOne({ where: { token, revoked: false } });
    if (!known) return res.status(401).json({ message: 'Unknown refresh token' });

    const data = jwt.verify(token, process.env.REFRESH_SECRET); // expect: verify-without-algorithms, verify-without-issuer, verify-without-audience
    const access = jwt.sign({ sub: data.sub }, process.env.ACCESS_SECRET, { expiresIn: TEN_MINUTES });
    return res.json({ access });
  } catch (error) {
    return next(error);
  }
};

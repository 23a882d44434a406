import jwt from 'jsonwebtoken';
import { tokenPair } from './token-pair.mjs';
import { devices } from './devices.mjs';

const strict = { algorithms: ['RS256'], issuer: 'gym', audience: 'gym-refresh' };

export const handleRefreshToken = async (req, res) => {
  const claims = jwt.verify(req.body.refreshToken, process.env.GYM_PUBLIC_KEY, strict);
  const device = await devices.get(claims.device);
  if (!device || device.counter !== claims.counter) {
    await devices.lock(claims.device);
    return res.status(401).json({ error: 'sign in again' });
  }
  const { accessToken, refreshToken } = await tokenPair(device);
  return res.json({ accessToken, refreshToken });
};

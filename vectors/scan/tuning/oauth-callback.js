import { Router } from 'express';
import jwt from 'jsonwebtoken';
import { exchangeCode, profileOf } from '../github.js';

const router = Router();

router.get('/github/callback', async (req, res, next) => {
  try {
    const profile = await profileOf(await exchangeCode(req.query.code));
    const token = jwt.sign( // expect: token-without-expiry
      {
        sub: profile.id,
        provider: 'github',
        email: profile.email, // expect: personal-data-in-payload
      },
      process.env.JWT_SECRET,
      { issuer: 'forum', audience: 'forum-web' },
    );
    res.json({ token });
  } catch (error) {
    next(error);
  }
});

export default router;

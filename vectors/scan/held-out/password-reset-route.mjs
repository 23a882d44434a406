import { Router } from 'express';
import jwt from 'jsonwebtoken';

const rules = { algorithms: ['HS256'], issuer: 'accounts', audience: 'reset' };

export const resetPassword = Router();

resetPassword.get('/reset-password', (req, res) => {
  try {
    jwt.verify(req.query.token, process.env.RESET_KEY, rules);
    res.render('new-password', { token: req.query.token });
  } catch {
    res.status(410).render('link-used');
  }
});

const { Router } = require('express');
const { endSession } = require('./sessions');

const router = Router();

router.post('/leave', async (req, res) => {
  await endSession(req.cookies.sid);
  res.cookie('sid', '', { expires: new Date(0) });
  res.cookie('token', '', { maxAge: -1, path: '/api' });
  res.clearCookie('refresh_token');
  res.status(204).end();
});

module.exports = router;

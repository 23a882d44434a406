const express = require('express');
const links = require('../links');

const router = express.Router();

router.get('/link/:code', async (req, res) => {
  const session = await links.redeem(req.params.code);
  if (!session) return res.status(410).render('link-used');
  res.cookie('session_id', session.id, { sameSite: 'lax' }); // expect: cookie-without-httponly, cookie-without-secure
  res.cookie('came_from', 'link', { sameSite: 'lax' });
  return res.redirect('/');
});

module.exports = router;

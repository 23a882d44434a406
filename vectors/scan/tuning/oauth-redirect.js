const router = require('express').Router();
const passport = require('passport');
const { issueAccess } = require('../tokens');

router.get('/google', passport.authenticate('google', { scope: ['profile', 'email'], session: false }));

router.get('/google/callback', passport.authenticate('google', { session: false }), (req, res) => {
  const token = issueAccess(req.user);
  res.redirect(`${process.env.CLIENT_URL}/oauth/done?token=${token}`); // expect: token-in-url
});

router.get('/app/callback', passport.authenticate('google', { session: false }), (req, res) => {
  const accessToken = issueAccess(req.user);
  res.redirect('/#access_token=' + accessToken); // expect: token-in-url
});

module.exports = router;

const { Router } = require('express');
const invitations = require('./invitations');

const router = Router();

router.get('/invitations/accept', async (req, res) => {
  const { token } = req.query;
  const invitation = await invitations.spend(token);
  if (!invitation) return res.status(410).render('invitation-gone');
  return res.redirect(`/teams/${invitation.team}`);
});

router.post('/teams/:id/invitations', async (req, res) => {
  const inviteToken = await invitations.create(req.params.id, req.body.mail);
  res.json({ link: `${process.env.ORIGIN}/invitations/accept?token=${inviteToken}` });
});

module.exports = router;

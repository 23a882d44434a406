const { randomBytes } = require('crypto');
const { sendMail } = require('../mail');
const resets = require('../resets');

exports.forgotPassword = async (req, res) => {
  const token = randomBytes(32).toString('hex');
  await resets.store(req.body.email, token);
  const resetUrl = `${process.env.WEB_URL}/reset-password?token=${token}`;
  await sendMail(req.body.email, 'A new password', `Choose one here: ${resetUrl}`);
  res.status(202).end();
};

exports.sendVerification = async (account, verificationToken) => {
  const url = new URL('/verify-email', process.env.WEB_URL);
  url.searchParams.set('token', verificationToken);
  await sendMail(account.email, 'Is this you?', url.href);
};

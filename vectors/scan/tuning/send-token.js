const ONE_HOUR = 60 * 60 * 1000;

const cookieOptions = {
  expires: new Date(Date.now() + ONE_HOUR),
  httpOnly: true,
};

function sendToken(user, statusCode, res) {
  const token = user.signToken();
  res // expect: cookie-without-secure, cookie-without-samesite
    .status(statusCode)
    .cookie('jwt', token, cookieOptions)
    .json({ status: 'success', user: { id: user.id } });
}

function setTimezone(req, res) {
  res.cookie('timezone', req.body.timezone).end();
}

module.exports = { sendToken, setTimezone };

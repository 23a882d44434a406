const { randomBytes, createHash } = require('crypto');

exports.start = (req, res) => {
  const verifier = randomBytes(32).toString('base64url');
  const state = randomBytes(16).toString('base64url');
  req.session.oauth = { verifier, state };
  const url = new URL(process.env.AUTHORIZE_URL);
  url.searchParams.set('response_type', 'code');
  url.searchParams.set('client_id', process.env.CLIENT_ID);
  url.searchParams.set('state', state);
  url.searchParams.set('code_challenge', createHash('sha256').update(verifier).digest('base64url'));
  url.searchParams.set('code_challenge_method', 'S256');
  url.searchParams.set('redirect_uri', `${process.env.WEB_URL}/callback`);
  res.redirect(url.href);
};

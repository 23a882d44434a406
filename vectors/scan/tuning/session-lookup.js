const sessions = require('../sessions');

/** Sessions are rows in the database; what the cookie has is a random name for one. */
module.exports = async function loadSession(req, res, next) {
  const id = req.cookies['__Host-sid'];
  req.session = id ? await sessions.byDigest(sessions.digest(id)) : null;
  if (req.session && req.session.endsAt < req.now) {
    await sessions.end(req.session.id);
    req.session = null;
  }
  next();
};

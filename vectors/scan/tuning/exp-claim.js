const jwt = require('jsonwebtoken');

const MINUTES = 60;

exports.playToken = (track, listener) => {
  const iat = Math.floor(Date.now() / 1000);
  const payload = {
    sub: listener.id,
    track: track.id,
    iat,
    exp: iat + 5 * MINUTES,
  };
  return jwt.sign(payload, process.env.PLAY_KEY, { algorithm: 'HS256' });
};

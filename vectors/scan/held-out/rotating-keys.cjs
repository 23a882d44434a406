const Keygrip = require('keygrip');
const cookieSession = require('cookie-session');

const keys = (process.env.COOKIE_KEYS || '').split(',').filter((key) => key !== '');
if (keys.length === 0) {
  throw new Error('COOKIE_KEYS: keys separated by commas are expected, the newest first');
}

module.exports = cookieSession({
  name: '__Host-shelf',
  keys: new Keygrip(keys, 'SHA256', 'base64'),
  secure: true,
  sameSite: 'lax',
});

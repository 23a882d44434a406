const { getAuth } = require('firebase-admin/auth');

async function verifyCaptcha(token, address) {
  const response = await fetch('https://captcha.example.com/verify', {
    method: 'POST',
    body: new URLSearchParams({ secret: process.env.CAPTCHA_SECRET, response: token, remoteip: address }),
  });
  const { success } = await response.json();
  return success;
}

async function verifyFirebase(idToken) {
  const { uid } = await getAuth().verifyIdToken(idToken, true);
  return uid;
}

module.exports = { verifyCaptcha, verifyFirebase };

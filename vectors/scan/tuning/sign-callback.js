const jwt = require('jsonwebtoken');

function respondWithToken(user, res) {
  jwt.sign({ sub: user.id, ip: user.lastIp }, process.env.SECRET, { expiresIn: '100h' }, (err, token) => { // expect: personal-data-in-payload, token-lives-too-long
    if (err) throw err;
    res.status(200).json({ token, expiresIn: 360000 });
  });
}

module.exports = respondWithToken;

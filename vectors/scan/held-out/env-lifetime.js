const jwt = require('jsonwebtoken');

const lifetime = process.env.TOKEN_LIFETIME || '72h';

function createToken(member) {
  return jwt.sign({ sub: member.id, level: member.level }, process.env.MEMBER_KEY, {
    expiresIn: lifetime, // expect: token-lives-too-long
  });
}

function createResponse(member) {
  return { token: createToken(member), member: { id: member.id, level: member.level } };
}

module.exports = { createToken, createResponse };

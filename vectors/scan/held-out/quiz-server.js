import jwt from 'jsonwebtoken';

const CHECKS = { audience: 'quiz', issuer: 'quiz', ignoreExpiration: true }; // expect: verify-without-expiry

export function playerOf(token) {
  return jwt.verify(token, process.env.QUIZ_KEY, CHECKS).sub; // expect: verify-without-algorithms
}

export function admit(game, nickname) {
  const token = jwt.sign({ sub: nickname, game: game.id }, process.env.QUIZ_KEY, { audience: 'quiz', issuer: 'quiz' }); // expect: token-without-expiry
  game.players.add(nickname);
  return token;
}

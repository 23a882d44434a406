import jwt from 'jsonwebtoken';

const LIFETIME = 10 * 60;

export function seatToken(seat, now) {
  const claims = { sub: seat.id, row: seat.row, nbf: now, exp: now + LIFETIME };
  return jwt.sign(claims, process.env.SEAT_KEY, { algorithm: 'HS256', noTimestamp: true });
}

export function standingToken(place) {
  const exp = Math.floor(Date.now() / 1000) + 900;
  return jwt.sign({ sub: place.id, exp }, process.env.SEAT_KEY);
}

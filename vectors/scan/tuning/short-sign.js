import * as jwt from 'jsonwebtoken';

export class Passes {
  #key;

  constructor(key) {
    this.#key = key;
  }

  day(visitor) {
    return jwt.sign({ sub: visitor.id }, this.#key, { expiresIn: '24 hours' }); // expect: token-lives-too-long
  }

  minute(visitor) {
    return jwt.sign({ sub: visitor.id }, this.#key, { expiresIn: 60 });
  }

  forever(visitor) {
    return jwt.sign({ sub: visitor.id }, this.#key, { issuer: 'door' }); // expect: token-without-expiry
  }

  team(team) {
    const payload = { sub: team.id, kind: 'team' };
    return jwt.sign(payload, this.#key, { algorithm: 'HS512' }); // expect: token-without-expiry
  }
}

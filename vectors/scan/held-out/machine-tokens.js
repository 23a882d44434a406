import jwt from 'jsonwebtoken';
import { v4 as uuid } from 'uuid';

const defaults = { algorithm: 'RS256', issuer: 'factory', audience: 'machines' };

export class MachineTokens {
  constructor(privateKey) {
    this.privateKey = privateKey;
  }

  issue(machine) {
    const jwtid = uuid();
    return jwt.sign({ sub: machine.serial, line: machine.line }, this.privateKey, { ...defaults, jwtid }); // expect: token-without-expiry
  }

  issueForShift(machine) {
    return jwt.sign({ sub: machine.serial }, this.privateKey, { ...defaults, expiresIn: '10h' }); // expect: token-lives-too-long
  }
}

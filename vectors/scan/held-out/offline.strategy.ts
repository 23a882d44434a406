import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { ExtractJwt, Strategy } from 'passport-jwt';

/** Scanners at the door are offline for days and come with what they have. */
@Injectable()
export class OfflineStrategy extends PassportStrategy(Strategy, 'offline') {
  constructor() {
    super({
      jwtFromRequest: ExtractJwt.fromHeader('x-scanner'),
      secretOrKey: process.env.SCANNER_KEY,
      issuer: 'doors',
      audience: 'scanners',
      algorithms: ['HS256'],
      ignoreExpiration: true, // expect: verify-without-expiry
    });
  }

  validate(claims: { sub: string }) {
    return { scanner: claims.sub };
  }
}

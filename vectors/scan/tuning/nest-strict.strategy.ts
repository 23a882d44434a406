import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { passportJwtSecret } from 'jwks-rsa';
import { ExtractJwt, Strategy } from 'passport-jwt';

const ISSUER = `https://${process.env.IDENTITY_HOST}/`;

@Injectable()
export class RemoteStrategy extends PassportStrategy(Strategy, 'remote') {
  constructor() {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKeyProvider: passportJwtSecret({ jwksUri: `${ISSUER}.well-known/jwks.json`, cache: true }),
      algorithms: ['RS256'],
      issuer: ISSUER,
      audience: process.env.IDENTITY_AUDIENCE,
      ignoreExpiration: false,
    });
  }

  validate(claims: { sub: string; permissions: string[] }) {
    return claims;
  }
}

import { Injectable } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { PassportStrategy } from '@nestjs/passport';
import { ExtractJwt, Strategy } from 'passport-jwt';

@Injectable()
export class MemberStrategy extends PassportStrategy(Strategy, 'member') {
  constructor(config: ConfigService) {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKey: config.get<string>('auth.jwt.secret'),
      algorithms: ['HS256'],
      issuer: config.get<string>('auth.jwt.issuer'),
      audience: config.get<string>('auth.jwt.audience'),
    });
  }

  validate({ sub, roles }: { sub: string; roles: string[] }) {
    return { id: sub, roles };
  }
}

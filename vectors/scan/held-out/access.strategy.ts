import { Injectable, UnauthorizedException } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { Request } from 'express';
import { Strategy } from 'passport-jwt';
import { SessionsService } from '../sessions/sessions.service';

const fromCookie = (request: Request): string | null => request.cookies?.access_token ?? null;

@Injectable()
export class AccessStrategy extends PassportStrategy(Strategy, 'access') {
  constructor(private readonly sessions: SessionsService) {
    super({ jwtFromRequest: fromCookie, secretOrKey: process.env.ACCESS_KEY, ignoreExpiration: false }); // expect: verify-without-algorithms, verify-without-issuer, verify-without-audience
  }

  async validate({ sid }: { sid: string }) {
    const session = await this.sessions.alive(sid);
    if (!session) throw new UnauthorizedException('the session has ended');
    return session;
  }
}

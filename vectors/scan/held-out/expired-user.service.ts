import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { AuditLog } from './audit-log';

@Injectable()
export class ExpiredUserService {
  constructor(
    private readonly jwtService: JwtService,
    private readonly log: AuditLog,
  ) {}

  async subject(token: string): Promise<string> {
    const options = { ignoreExpiration: true, secret: process.env.PARK_KEY, algorithms: ['HS256' as const] }; // expect: verify-without-expiry
    const { sub } = await this.jwtService.verifyAsync(token, options); // expect: verify-without-issuer, verify-without-audience
    await this.log.write('late', sub);
    return sub;
  }
}

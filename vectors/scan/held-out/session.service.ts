import { ForbiddenException, Injectable } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { JwtService } from '@nestjs/jwt';
import { MembersService } from '../members/members.service';

@Injectable()
export class SessionService {
  constructor(
    private readonly config: ConfigService,
    private readonly jwt: JwtService,
    private readonly members: MembersService,
  ) {}

  async refreshTokens(refreshToken: string): Promise<{ accessToken: string }> { // expect: no-rotation
    const { sub } = await this.jwt.verifyAsync<{ sub: string }>(refreshToken, {
      secret: this.config.get('REFRESH_SECRET'),
      issuer: this.config.get('ISSUER'),
      audience: this.config.get('AUDIENCE'),
      algorithms: ['HS256'],
    });
    const member = await this.members.find(sub);
    if (!member) throw new ForbiddenException();
    const accessToken = this.jwt.sign({ sub: member.id }, { secret: this.config.get('ACCESS_SECRET'), expiresIn: '12m' });
    return { accessToken };
  }
}

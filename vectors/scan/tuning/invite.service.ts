import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';

@Injectable()
export class InviteService {
  constructor(private readonly jwt: JwtService) {}

  /** A link that somebody follows to join a team. */
  inviteToken(team: string, invitedBy: string) {
    return this.jwt.sign({ team, invitedBy }, { expiresIn: '14d' }); // expect: token-lives-too-long
  }

  verificationToken(accountId: string) {
    return this.jwt.sign({ sub: accountId, use: 'verify-email' }, { expiresIn: '24h' });
  }

  desktopToken(accountId: string) {
    return this.jwt.sign({ sub: accountId, use: 'desktop' }); // expect: token-without-expiry
  }
}

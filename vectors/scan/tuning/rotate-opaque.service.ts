import { Injectable, UnauthorizedException } from '@nestjs/common';
import { createHash, randomBytes } from 'node:crypto';
import { SessionRepository } from './session.repository';
import { AccessTokens } from './access-tokens';

const digest = (value: string) => createHash('sha256').update(value).digest('hex');

@Injectable()
export class RefreshService {
  constructor(
    private readonly sessions: SessionRepository,
    private readonly accessTokens: AccessTokens,
  ) {}

  async refresh(presented: string) {
    const session = await this.sessions.byDigest(digest(presented));
    if (!session) throw new UnauthorizedException();
    const refreshToken = randomBytes(32).toString('base64url');
    await this.sessions.replaceDigest(session.id, digest(refreshToken));
    return { accessToken: await this.accessTokens.issue(session), refreshToken };
  }
}

import { Injectable, UnauthorizedException } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { FamilyRepository } from './family.repository';

const RULES = { algorithms: ['RS256' as const], issuer: 'ship', audience: 'ship-refresh' };

@Injectable()
export class RotationService {
  constructor(
    private readonly jwt: JwtService,
    private readonly families: FamilyRepository,
  ) {}

  async refresh(presented: string) {
    const { sub, family, jti } = await this.jwt.verifyAsync(presented, RULES);
    if (!(await this.families.spend(family, jti))) throw new UnauthorizedException();
    const [accessToken, refreshToken] = await Promise.all([
      this.jwt.signAsync({ sub }, { expiresIn: '5m', audience: 'ship' }),
      this.jwt.signAsync({ sub, family }, { expiresIn: '7d', audience: 'ship-refresh' }),
    ]);
    return { accessToken, refreshToken };
  }
}

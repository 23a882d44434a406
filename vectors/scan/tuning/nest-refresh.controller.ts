import { Body, Controller, Post, UnauthorizedException } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';

@Controller('auth')
export class RefreshController {
  constructor(private readonly jwt: JwtService) {}

  @Post('refresh')
  async refresh(@Body('refresh_token') token: string) { // expect: no-rotation
    try {
      const claims = await this.jwt.verifyAsync(token, {
        secret: process.env.REFRESH_SECRET,
        algorithms: ['HS256'],
        issuer: 'nest',
        audience: 'nest-refresh',
      });
      return {
        access_token: await this.jwt.signAsync({ sub: claims.sub }, { expiresIn: '5m' }),
      };
    } catch {
      throw new UnauthorizedException();
    }
  }
}

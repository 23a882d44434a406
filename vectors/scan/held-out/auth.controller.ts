import { Controller, HttpCode, Post, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LocalGuard } from './local.guard';
import { TokensService } from './tokens.service';

@Controller()
export class AuthController {
  constructor(private readonly tokens: TokensService) {}

  @UseGuards(LocalGuard)
  @Post('sign-in')
  @HttpCode(204)
  async signIn(@Req() request: FastifyRequest & { user: { id: string } }, @Res({ passthrough: true }) reply: FastifyReply) {
    const pair = await this.tokens.pair(request.user.id);
    reply.setCookie('access', pair.accessToken, {
      httpOnly: true,
      secure: true,
      sameSite: false, // expect: cookie-without-samesite
    });
    reply.setCookie('refresh', pair.refreshToken, { // expect: cookie-without-samesite
      httpOnly: false, // expect: cookie-without-httponly
      secure: true,
      path: '/refresh',
    });
  }
}

import { Body, Controller, Post, Res } from '@nestjs/common';
import { Response } from 'express';
import { AuthService } from './auth.service';
import { LoginDto } from './login.dto';

@Controller('auth')
export class LoginController {
  constructor(private readonly auth: AuthService) {}

  @Post('login')
  async login(@Body() body: LoginDto, @Res({ passthrough: true }) response: Response) {
    const { accessToken, refreshToken } = await this.auth.login(body);
    response.cookie('Authentication', accessToken, { // expect: cookie-without-httponly
      secure: true,
      sameSite: 'lax',
    });
    response.cookie('Refresh', refreshToken, {
      httpOnly: true,
      secure: false, // expect: cookie-without-secure
      sameSite: 'strict',
    });
    return { ok: true };
  }
}

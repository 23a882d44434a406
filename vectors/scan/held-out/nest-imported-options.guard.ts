import { type CanActivate, type ExecutionContext, Injectable, UnauthorizedException } from '@nestjs/common'
import { JwtService } from '@nestjs/jwt'
import { verifyOptions } from './auth.constants'

@Injectable()
export class TokenGuard implements CanActivate {
  constructor(private readonly jwt: JwtService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest()
    try {
      request.claims = await this.jwt.verifyAsync(request.cookies.access, verifyOptions)
      return true
    } catch {
      throw new UnauthorizedException()
    }
  }
}

import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common'
import { JwtService } from '@nestjs/jwt'
import type { Request } from 'express'

const strict = { algorithms: ['HS256' as const], issuer: 'photos', audience: 'photos' }

@Injectable()
export class QueryGuard implements CanActivate {
  constructor(private readonly jwt: JwtService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>()
    const token = request.query.access_token as string // expect: token-in-url
    const claims = await this.jwt.verifyAsync(token, strict)
    Object.assign(request, { claims })
    return true
  }
}

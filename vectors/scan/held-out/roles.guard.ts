import { type CanActivate, type ExecutionContext, ForbiddenException, Injectable } from '@nestjs/common'
import { GqlExecutionContext } from '@nestjs/graphql'
import { JwtService } from '@nestjs/jwt'

@Injectable()
export class GraphqlGuard implements CanActivate {
  constructor(private readonly tokens: JwtService) {}

  canActivate(context: ExecutionContext): boolean {
    const { req } = GqlExecutionContext.create(context).getContext()
    const token = req.headers['x-auth']
    const claims = this.tokens.verify(token, { algorithms: ['HS256'], secret: process.env.GQL_SECRET }) // expect: verify-without-issuer, verify-without-audience
    if (!claims.roles.includes('member')) throw new ForbiddenException()
    req.member = claims.sub
    return true
  }
}

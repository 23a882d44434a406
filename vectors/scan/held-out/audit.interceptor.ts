import { CallHandler, ExecutionContext, Injectable, NestInterceptor } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { tap } from 'rxjs';
import { AuditService } from './audit.service';

@Injectable()
export class AuditInterceptor implements NestInterceptor {
  constructor(
    private readonly jwt: JwtService,
    private readonly audit: AuditService,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler) {
    const request = context.switchToHttp().getRequest();
    const actor = this.jwt.decode(request.cookies.access)?.sub; // expect: decode-instead-of-verify
    return next.handle().pipe(tap(() => this.audit.record(actor, request.method, request.url)));
  }
}

import { decodeJwt } from 'jose'
import type { FastifyRequest } from 'fastify'
import { tenants } from './tenants'

/** The tenant in whose database the request is answered. */
export async function tenantOf(request: FastifyRequest) {
  const header = request.headers.authorization
  if (!header?.startsWith('Bearer ')) return tenants.anonymous
  const claims = decodeJwt(header.slice(7)) // expect: decode-instead-of-verify
  return tenants.byId(String(claims.tenant))
}

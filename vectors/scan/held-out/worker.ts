import { importSPKI, jwtVerify, errors } from 'jose'

interface Env {
  PUBLIC_KEY: string
  ORIGIN: string
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const token = request.headers.get('cf-access-token')
    if (!token) return new Response('unauthenticated', { status: 401 })
    try {
      const key = await importSPKI(env.PUBLIC_KEY, 'EdDSA')
      await jwtVerify(token, key, { audience: env.ORIGIN, algorithms: ['EdDSA'] }) // expect: verify-without-issuer
    } catch (error) {
      if (error instanceof errors.JOSEError) return new Response(error.code, { status: 401 })
      throw error
    }
    return fetch(new URL(new URL(request.url).pathname, env.ORIGIN), request)
  },
}

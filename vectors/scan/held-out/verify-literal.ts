import jwt from 'jsonwebtoken'
import type { FastifyRequest } from 'fastify'

const rules = { algorithms: ['HS256' as const], issuer: 'lab', audience: 'lab' }

export function labUser(request: FastifyRequest): string {
  const token = request.headers['x-lab'] as string
  const { sub } = jwt.verify(token, 'white-mouse', rules) as { sub: string } // expect: secret-in-source
  return sub
}

export function labToken(sub: string): string {
  return jwt.sign({ sub }, process.env.LAB_KEY!, { issuer: 'lab', audience: 'lab', expiresIn: '1d' }) // expect: token-lives-too-long
}

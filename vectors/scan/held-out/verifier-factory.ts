import { createVerifier } from 'fast-jwt'
import type { IncomingMessage } from 'node:http'

const verifierOptions = {
  key: process.env.METER_KEY,
  allowedIss: 'grid',
  clockTolerance: 2000,
}

const verifyMeter = createVerifier(verifierOptions) // expect: verify-without-algorithms, verify-without-audience

export function meterOf(request: IncomingMessage): string {
  const header = request.headers['x-meter-token']
  if (typeof header !== 'string') throw new TypeError('x-meter-token: exactly one is expected')
  return verifyMeter(header).sub
}

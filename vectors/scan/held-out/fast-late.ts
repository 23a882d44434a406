import { createVerifier, type VerifierOptions } from 'fast-jwt'

const common: Partial<VerifierOptions> = {
  algorithms: ['EdDSA'],
  allowedIss: 'ferry',
  allowedAud: 'crew',
}

export function verifiers(key: string) {
  return {
    current: createVerifier({ ...common, key }),
    late: createVerifier({ ...common, key, ignoreExpiration: true }), // expect: verify-without-expiry
  }
}

import { createSigner, type SignerOptions } from 'fast-jwt'

const options: Partial<SignerOptions> = {
  algorithm: 'EdDSA',
  iss: 'harbour',
  aud: ['berths', 'pilots'],
}

export class HarbourTokens {
  private readonly sign

  constructor(key: string) {
    this.sign = createSigner({ ...options, key }) // expect: token-without-expiry
  }

  pilot(id: string): string {
    return this.sign({ sub: id, kind: 'pilot' })
  }
}

export const quayPass = createSigner({ key: 'quay-secret', expiresIn: 12 * 60 * 60 * 1000 }) // expect: token-lives-too-long, secret-in-source

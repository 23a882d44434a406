import jwt, { type SignOptions } from 'jsonwebtoken'
import { promisify } from 'node:util'

const signAsync = promisify<object, string, SignOptions, string>(jwt.sign)

/** Signs what the caller has put together; the lifetime is in its options. */
export class Signer {
  constructor(
    private readonly key: string,
    private readonly options: SignOptions,
  ) {}

  sign(claims: object): Promise<string> {
    return signAsync(claims, this.key, this.options)
  }

  signFor(subject: string, claims: object): Promise<string> {
    return signAsync(claims, this.key, { ...this.options, subject })
  }
}

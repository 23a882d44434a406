import { createSigner, createVerifier } from 'fast-jwt'

const FIFTEEN_MINUTES = 15 * 60 * 1000

export const sign = createSigner({
  key: process.env.TOKEN_KEY as string,
  iss: 'weather',
  aud: 'stations',
  expiresIn: FIFTEEN_MINUTES,
})

export const verify = createVerifier({
  key: process.env.TOKEN_KEY as string,
  algorithms: ['HS256'],
  allowedIss: 'weather',
  allowedAud: 'stations',
  cache: true,
})

export const stationOf = (token: string): string => verify(token).sub

import { decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import { buildApp } from '../src/app'

describe('POST /sign-in', () => {
  it('answers with a token of ten minutes', async () => {
    const app = await buildApp()
    const response = await app.inject({ method: 'POST', url: '/sign-in', payload: { login: 'ada', password: 'x'.repeat(16) } })
    const claims = decodeJwt(response.json().accessToken)
    expect(claims.exp! - claims.iat!).toBe(600)
    expect(claims).not.toHaveProperty('email')
  })
})

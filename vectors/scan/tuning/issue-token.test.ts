import { test } from 'node:test'
import assert from 'node:assert/strict'
import jwt, { type JwtPayload } from 'jsonwebtoken'
import { issueToken } from './issue-token'

test('a token names its account and ends after ten minutes', () => {
  const token = issueToken({ id: 'a1' })
  const claims = jwt.decode(token) as JwtPayload
  assert.equal(claims.sub, 'a1')
  assert.equal(claims.exp! - claims.iat!, 600)
})

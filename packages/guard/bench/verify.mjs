// How much faster is a token that has been seen than one verified anew by jose? Alternating slices, so that whatever else the
// machine does hits both; the middle of the slices' ratios is printed.

import { createServer } from 'node:http'
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { importJWK, jwtVerify } from 'jose'
import { createGuard } from '../dist/src/index.js'

const SLICES = 21
const SLICE_MS = 100
const issuer = 'https://app.example.com'
const id = (byte) => Buffer.alloc(16, byte).toString('base64url')

const { privateKey } = generateKeyPairSync('ed25519')
const jwk = { ...createPublicKey(privateKey).export({ format: 'jwk' }), kid: 'k1', alg: 'EdDSA', use: 'sig' }

function mint(n) {
  const now = Math.floor(Date.now() / 1000)
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = {
    iss: issuer, sub: id(1), aud: 'web', client_id: 'web', exp: now + 600, iat: now, jti: Buffer.alloc(16, n).toString('base64url'),
    sid: id(2), auth_time: now, acr: 'aal1', amr: ['pwd'], roles: ['editor'],
  }
  const input = `${part({ alg: 'EdDSA', kid: 'k1', typ: 'at+jwt' })}.${part(claims)}`
  return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`
}

const authority = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://x')
  if (pathname === '/.well-known/jwks.json') return response.end(JSON.stringify({ keys: [jwk] }))
  const answer = {
    instance: searchParams.get('instance'), nonce: searchParams.get('nonce'), cursor: 'A.1.x', snapshot: true, held_ms: 0,
    now: Date.now(), max_staleness_ms: 5000, margin_ms: 50, keys_etag: '"1"', sessions: [id(9), 4e9], tokens: [], stale: [], keys: [],
  }
  setTimeout(() => response.end(JSON.stringify(answer)), searchParams.has('after') ? Number(searchParams.get('wait')) : 0)
})
await new Promise((resolve) => authority.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${authority.address().port}`
const guard = createGuard({ issuer, audience: 'web', feed: { url, credential: 'cfg_bench' } })
await guard.ready()

const key = await importJWK(jwk, 'EdDSA')
const tokens = Array.from({ length: 100 }, (_, n) => mint(n))
// A token arrives as fresh bytes of a socket; a string that is already hashed would flatter the cache.
const arriving = tokens.map((token) => Buffer.from(token, 'latin1'))
const take = (n) => arriving[n % arriving.length].latin1Slice()
const options = { issuer, audience: 'web', algorithms: ['EdDSA'], typ: 'at+jwt' }

/** Microseconds for one. */
async function slice(one) {
  const start = performance.now()
  let count = 0
  while (performance.now() - start < SLICE_MS) {
    // Twenty at a time, as a server has them: jose verifies in the thread pool, and alone each would wait for the next.
    await Promise.all(Array.from({ length: 20 }, (_, n) => one(take(count + n))))
    count += 20
  }
  return ((performance.now() - start) * 1000) / count
}

const cached = (token) => guard.verify(token)
const anew = (token) => jwtVerify(token, key, options)
const middle = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
await slice(cached)
await slice(anew)
const pairs = []
for (let n = 0; n < SLICES; n += 1) pairs.push([await slice(cached), await slice(anew)])
const ratio = middle(pairs.map(([one, other]) => other / one))
console.log(`cached verification   ${middle(pairs.map(([one]) => one)).toFixed(2)} µs`)
console.log(`jose.jwtVerify        ${middle(pairs.map(([, other]) => other)).toFixed(2)} µs`)
console.log(`ratio                 ${ratio.toFixed(1)} (at least 10 wanted)`)
guard.close()
authority.closeAllConnections()
authority.close()
process.exitCode = ratio >= 10 ? 0 : 1

/** Proofs of possession: as the vectors say, and as a guard and its adapters take them. */

import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { authenticate as judge } from '../src/credential.js'
import { normal, Proof, UsedProofs } from '../src/dpop.js'
import * as onExpress from '../src/express.js'
import * as onFastify from '../src/fastify.js'
import { viewOfFetch } from '../src/fetch.js'
import { createGuard } from '../src/guard.js'
import * as onHono from '../src/hono.js'
import * as onNext from '../src/next.js'
import { judgePage } from '../src/next_request.js'
import { authenticateNode, viewOf } from '../src/node.js'
import { problemOf } from '../src/problem.js'
import { Refusal } from '../src/refusal.js'
import { type Authority, id, ISSUER, type Pair, pair, readyPair, reason, START, until } from './support.js'

interface Case {
  name: string
  atk?: string
  proof: string
  method: string
  url: string
  token?: string
  for_token?: boolean
  fresh?: boolean
  key?: string
  refusal?: string
}

const { now, cases } = JSON.parse(readFileSync(new URL('../../../../vectors/guard/dpop.json', import.meta.url), 'utf8')) as { now: number; cases: Case[] }

test('ATK-36: proofs are read or refused as written', async (t) => {
  for (const { name, proof, method, url, token, for_token, fresh, key, refusal } of cases) {
    await t.test(name, async () => {
      const read = await Proof.read(proof, method, url).catch((error: unknown) => error)
      if (!(read instanceof Proof)) {
        assert.equal(read instanceof Refusal ? read.reason : read, refusal)
        return
      }
      assert.deepEqual([read.key, read.isFresh(now * 1000), token === undefined ? undefined : await read.isFor(token)], [key, fresh, for_token])
    })
  }
  assert.ok(cases.filter(({ refusal }) => refusal !== undefined).length >= 300)
  assert.ok(cases.filter(({ key }) => key !== undefined).length >= 50)
})

test('DPOP-4.3c: addresses are compared as they are read', () => {
  assert.equal(normal('https://A.example'), 'https://a.example/')
  assert.equal(normal('http://a.example:80/x?y'), 'http://a.example/x')
  assert.equal(normal('http://a.example:443/'), 'http://a.example:443/')
  for (const bad of ['', 'a.example', 'ftp://a.example', 'https://', 'https:///x', 'https://u@h/', '://h/']) assert.equal(normal(bad), undefined, bad)
})

/** A client with a key of its own. */
class Holder {
  readonly #key: KeyObject
  readonly jwk: JWK
  readonly jkt: string
  #count = 0

  private constructor(key: KeyObject, jwk: JWK, jkt: string) {
    this.#key = key
    this.jwk = jwk
    this.jkt = jkt
  }

  static async make(): Promise<Holder> {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const jwk = publicKey.export({ format: 'jwk' }) as JWK
    return new Holder(privateKey, jwk, await calculateJwkThumbprint(jwk))
  }

  prove(token: string, more: object = {}): string {
    this.#count += 1
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const ath = createHash('sha256').update(token).digest('base64url')
    const claims = { jti: `p${this.#count}`, htm: 'GET', htu: `${ISSUER}/me`, iat: START / 1000, ath, ...more }
    const input = `${part({ alg: 'EdDSA', typ: 'dpop+jwt', jwk: this.jwk })}.${part(claims)}`
    return `${input}.${sign(null, Buffer.from(input), this.#key).toString('base64url')}`
  }

  read(token: string, more?: object): Promise<Proof> {
    return Proof.read(this.prove(token, more), 'GET', `${ISSUER}/me`)
  }

  bound(authority: Authority, more: object = {}): string {
    return authority.mint({ cnf: { jkt: this.jkt }, ...more })
  }
}

const accessory = async (): Promise<Pair & { holder: Holder; token: string }> => {
  const [made, holder] = [await readyPair(), await Holder.make()]
  return { ...made, holder, token: holder.bound(made.authority) }
}

test('DPOP-7b: a bound token passes with a proof of its key for it, once, and any other only without', async () => {
  const { clock, authority, guard, holder, token, stop } = await accessory()
  const [other, unbound] = [await Holder.make(), authority.mint()]
  assert.equal(await reason(guard.verify(token)), 'proof_required')
  const proof = await holder.read(token)
  const claims = await guard.verifyBound(token, proof)
  assert.deepEqual([claims.sub, claims.cnf], [id(1), { jkt: holder.jkt }])
  assert.ok(Object.isFrozen(claims.cnf))
  assert.equal(await reason(guard.verify(token)), 'proof_required', 'also when it is remembered')
  assert.equal(await reason(guard.verifyBound(token, proof)), 'bad_proof', 'replayed')
  assert.equal(await reason(guard.verifyBound(token, await holder.read(token))), 'accepted')
  assert.equal(await reason(guard.verifyBound(token, await holder.read(token, { jti: proof.jti, htu: `${ISSUER}:443/me?again` }))), 'bad_proof', 'the same, spelt otherwise')
  assert.equal(await reason(guard.verifyBound(token, await other.read(token))), 'bad_proof', 'the key of somebody else')
  assert.equal(await reason(guard.verifyBound(token, await holder.read(unbound))), 'bad_proof', 'for another token')
  assert.equal(await reason(guard.verifyBound(token, await holder.read(token, { ath: undefined }))), 'bad_proof', 'for no token')
  assert.equal(await reason(guard.verifyBound(unbound, await holder.read(unbound))), 'bad_proof', 'for a token that is not bound')
  assert.equal(await reason(guard.verifyBound(other.bound(authority), await other.read(other.bound(authority), { jti: proof.jti }))), 'accepted', 'a name counts for its key')
  const elsewhere = await Proof.read(holder.prove(token, { jti: proof.jti, htu: `${ISSUER}/other` }), 'GET', `${ISSUER}/other`)
  assert.equal(await reason(guard.verifyBound(token, elsewhere)), 'accepted', 'and for its address')
  const aged = await holder.read(token, { iat: START / 1000 - 60 })
  const early = await holder.read(token, { iat: START / 1000 + 11 })
  assert.equal(await reason(guard.verifyBound(token, early)), 'bad_proof')
  clock.advance(1000)
  assert.equal(await reason(guard.verifyBound(token, aged)), 'bad_proof')
  assert.equal(await reason(guard.verifyBound(token, early)), 'accepted', 'what was refused has not been used')
  authority.revoke('sessions', id(2), 2_000_000_000)
  await until(() => authority.polls.length === 3)
  assert.equal(await reason(guard.verifyBound(token, await holder.read(token))), 'revoked')
  await stop()
})

test('a flood of proofs makes no room for a replay, and what is too old is forgotten', async () => {
  const holder = await Holder.make()
  let time = START
  const used = new UsedProofs(() => time, 2)
  const use = async (proof: Proof): Promise<string> => reason((async () => used.use({ cnf: { jkt: holder.jkt } }, 't', proof))())
  const later = (seconds: number): Promise<Proof> => holder.read('t', { iat: START / 1000 + seconds })
  const first = await later(0)
  assert.deepEqual([await use(first), await use(await later(0)), await use(await later(0)), await use(first)], ['accepted', 'accepted', 'bad_proof', 'bad_proof'])
  time += 119_999
  assert.equal(await use(await later(119)), 'bad_proof', 'still full')
  time += 1
  assert.equal(await use(await later(120)), 'accepted')
  assert.equal(await use(first), 'bad_proof', 'forgotten, and too old')
})

test('S2: a watch of a bound token ends with it, in either mode', async () => {
  const { authority, guard, holder, token, stop } = await accessory()
  authority.introspection = () => ({ active: true, token_type: 'DPoP', cnf: { jkt: holder.jkt }, sub: id(1), sid: id(2), aud: 'web', exp: START / 1000 + 300 })
  const ends: string[] = []
  guard.watch(token, (why) => ends.push(why.reason))
  const cancel = guard.asking().watch(token, (why) => ends.push(`asked: ${why.reason}`))
  await until(() => authority.introspected.length === 1)
  authority.revoke('sessions', id(2), 2_000_000_000)
  await until(() => ends.length > 0)
  assert.deepEqual(ends, ['revoked'])
  cancel()
  await stop()
})

test('introspection: the binding that the authority tells of is checked here', async () => {
  const { authority, guard, stop } = await pair({ mode: 'introspect' })
  const holder = await Holder.make()
  const yes = { active: true, sub: id(1), sid: id(2), aud: 'web', exp: 1_795_261_000 }
  const cnf = { jkt: holder.jkt }
  for (const [said, plain, proven] of [
    [{ token_type: 'DPoP', cnf }, 'proof_required', 'accepted'],
    [{ token_type: 'Bearer', cnf }, 'proof_required', 'accepted'],
    [{ token_type: 'Bearer' }, 'accepted', 'bad_proof'],
    [{ token_type: 'DPoP' }, 'bad_claim', 'bad_claim'],
    [{ token_type: 'dpop', cnf }, 'wrong_type', 'wrong_type'],
    [{ token_type: 'refresh_token', cnf }, 'wrong_type', 'wrong_type'],
    ...[null, {}, [], 'x', { jkt: id(1) }, { ...cnf, more: 1 }, { 'x5t#S256': holder.jkt }, { jkt: `${holder.jkt}=` }, [holder.jkt]].map((wrong) =>
      [{ token_type: 'DPoP', cnf: wrong }, 'bad_claim', 'bad_claim'] as const),
  ] as const) {
    authority.introspection = () => ({ ...yes, ...said })
    assert.equal(await reason(guard.verify('a.b.c')), plain, JSON.stringify(said))
    assert.equal(await reason(guard.verifyBound('a.b.c', await holder.read('a.b.c'))), proven, JSON.stringify(said))
  }
  await stop()
})

test('a proof that was used counts neither here nor where the authority is asked', async () => {
  const { authority, guard, holder, token, stop } = await accessory()
  authority.introspection = () => ({ active: true, token_type: 'DPoP', cnf: { jkt: holder.jkt }, sub: id(1), sid: id(2), aud: 'web', exp: START / 1000 + 300 })
  const [one, two] = [await holder.read(token), await holder.read(token)]
  assert.deepEqual([await reason(guard.verifyBound(token, one)), await reason(guard.asking().verifyBound(token, one))], ['accepted', 'bad_proof'])
  assert.deepEqual([await reason(guard.asking().verifyBound(token, two)), await reason(guard.verifyBound(token, two))], ['accepted', 'bad_proof'])
  await stop()
})

type Sent = Record<string, string | string[]>
type Send = (path: string, headers: Sent, method?: string) => Promise<{ status: number; challenge: string | null; body: Record<string, unknown> }>

function overHttp(port: number): Send {
  return (path, headers, method = 'GET') => new Promise((resolve, reject) => {
    httpRequest({ port, path, method, headers: { connection: 'close', ...headers } }, (answer) => {
      let body = ''
      answer.on('data', (chunk) => { body += String(chunk) })
      answer.on('end', () => resolve({
        status: answer.statusCode ?? 0, challenge: answer.headers['www-authenticate'] ?? null, body: JSON.parse(body) as Record<string, unknown>,
      }))
    }).on('error', reject).end()
  })
}

function overFetch(handle: (request: Request) => Response | Promise<Response>): Send {
  return async (path, headers, method = 'GET') => {
    const all = new Headers()
    for (const [name, values] of Object.entries(headers)) for (const value of [values].flat()) all.append(name, value)
    const answer = await handle(new Request(`http://internal:8080${path}`, { method, headers: all }))
    return { status: answer.status, challenge: answer.headers.get('www-authenticate'), body: await answer.json() as Record<string, unknown> }
  }
}

type Make = (guard: Pair['guard']) => Promise<{ send: Send; stop: () => unknown }>

/** Each mounted below the path `/api`, where the framework has such a thing. */
const FRAMEWORKS: Record<string, Make> = {
  async express(guard) {
    const app = express()
    app.use('/api', onExpress.authenticate(guard), (req, res) => void res.json({ source: req.auth?.source }))
    const server = app.listen(0)
    await new Promise((resolve) => server.once('listening', resolve))
    return { send: overHttp((server.address() as AddressInfo).port), stop: () => server.close() }
  },
  async fastify(guard) {
    const app = fastify({ rewriteUrl: (request) => `/inside${request.url}` })
    await app.register(async (api) => {
      api.addHook('onRequest', onFastify.authenticate(guard))
      api.all('/*', async (request) => ({ source: request.auth?.source }))
    }, { prefix: '/inside/api' })
    await app.listen({ port: 0 })
    return { send: overHttp((app.server.address() as AddressInfo).port), stop: () => app.close() }
  },
  async hono(guard) {
    const api = new Hono<onHono.Authenticated>().use(onHono.authenticate(guard)).all('/*', (c) => c.json({ source: c.get('auth').source }))
    const app = new Hono().route('/api', api)
    return { send: overFetch((request) => app.fetch(request)), stop: () => {} }
  },
  async next(guard) {
    const handle = onNext.authenticate(guard, {}, (request: onNext.Authenticated, _: unknown) => Response.json({ source: request.auth.source }))
    return { send: overFetch((request) => handle(request, {})), stop: () => {} }
  },
  async node(guard) {
    const server = createServer((request, response) => {
      authenticateNode(guard, request).then(({ source }) => response.end(JSON.stringify({ source })), (error: unknown) => {
        const problem = problemOf(error)
        response.writeHead(problem?.status ?? 500, problem?.headers()).end(problem?.body())
      })
    }).listen(0)
    await new Promise((resolve) => server.once('listening', resolve))
    return { send: overHttp((server.address() as AddressInfo).port), stop: () => server.close() }
  },
}

const BEARER = 'Bearer error="invalid_token"'
const PROVE = 'DPoP error="invalid_token", algs="EdDSA Ed25519 ES256"'
const BAD = 'DPoP error="invalid_dpop_proof", algs="EdDSA Ed25519 ES256"'
const AT = 'https://api.example.com'

for (const [name, make] of Object.entries(FRAMEWORKS)) {
  test(`${name}: DPoP beside Bearer and the cookie`, async (t) => {
    const { authority, guard, stop } = await readyPair({ at: AT })
    const [{ send, stop: stopServer }, holder] = [await make(guard), await Holder.make()]
    t.after(stopServer)
    const [token, unbound] = [holder.bound(authority), authority.mint({ sid: id(8), jti: id(9) })]
    const prove = (more: object = {}, of = token): string => holder.prove(of, { htu: `${AT}/api/things`, ...more })
    const dpop = (...proofs: string[]): Sent => ({ authorization: `DPoP ${token}`, dpop: proofs })
    const cookie = (of: string): string => `__Host-cf_access=${of}`
    const used = prove()
    const expected: [string, number, string, string | null, Sent, string?, string?][] = [
      ['a proof', 200, 'bound', null, dpop(used)],
      ['replayed', 401, 'invalid_dpop_proof', BAD, dpop(used)],
      ['the scheme in other case', 200, 'bound', null, { authorization: `dpop ${token}`, dpop: prove() }],
      ['with a query', 200, 'bound', null, dpop(prove()), 'GET', '/api/things?a=/b'],
      ['another method', 200, 'bound', null, dpop(prove({ htm: 'DELETE' })), 'DELETE'],
      ['no proof', 401, 'proof_required', PROVE, { authorization: `DPoP ${token}` }],
      ['no proof, and no token either', 401, 'proof_required', PROVE, { authorization: 'DPoP a.b.c' }],
      ['a bound token as Bearer', 401, 'proof_required', PROVE, { authorization: `Bearer ${token}` }],
      ['a bound token as Bearer with a proof', 401, 'proof_required', PROVE, { authorization: `Bearer ${token}`, dpop: prove() }],
      ['a bound token in the cookie', 401, 'proof_required', PROVE, { cookie: cookie(token) }],
      ['a bound token in the cookie with a proof', 401, 'proof_required', PROVE, { cookie: cookie(token), dpop: prove() }],
      ['a bound cookie hides no other', 200, 'cookie', null, { cookie: `${cookie(token)}; ${cookie(unbound)}` }],
      ['a proof for what is not bound', 401, 'invalid_dpop_proof', BAD, { authorization: `DPoP ${unbound}`, dpop: prove({}, unbound) }],
      ['what is not bound as Bearer, with a proof', 200, 'bearer', null, { authorization: `Bearer ${unbound}`, dpop: prove({}, unbound) }],
      ['what is not bound as Bearer, with a bad proof', 401, 'invalid_dpop_proof', BAD, { authorization: `Bearer ${unbound}`, dpop: 'a.b.c' }],
      ['what is not bound in the cookie, with a bad proof', 401, 'invalid_dpop_proof', BAD, { cookie: cookie(unbound), dpop: 'a.b.c' }],
      ['two proofs', 401, 'invalid_dpop_proof', BAD, dpop(prove(), prove())],
      ['the same proof twice', 401, 'invalid_dpop_proof', BAD, dpop(...Array<string>(2).fill(prove()))],
      ['an empty proof', 401, 'invalid_dpop_proof', BAD, dpop('')],
      ['for another path', 401, 'invalid_dpop_proof', BAD, dpop(prove({ htu: `${AT}/api/other` }))],
      ['for the path within', 401, 'invalid_dpop_proof', BAD, dpop(prove({ htu: `${AT}/things` }))],
      ['for another path in the request', 401, 'invalid_dpop_proof', BAD, dpop(prove()), 'GET', '/api/things/'],
      ['for another method', 401, 'invalid_dpop_proof', BAD, dpop(prove()), 'DELETE'],
      ["for the issuer's origin", 401, 'invalid_dpop_proof', BAD, dpop(prove({ htu: `${ISSUER}/api/things` }))],
      ['for what Host says', 401, 'invalid_dpop_proof', BAD, { ...dpop(prove({ htu: 'https://evil.example/api/things' })), host: 'evil.example' }],
      ['a minute and a second old', 401, 'invalid_dpop_proof', BAD, dpop(prove({ iat: START / 1000 - 61 }))],
      ['a token that is none, with a proof for it', 401, 'token_invalid', BEARER, { authorization: 'DPoP a.b.c', dpop: prove({}, 'a.b.c') }],
      ['two tokens in one', 401, 'token_invalid', BEARER, { authorization: `DPoP ${token} ${token}`, dpop: prove() }],
      ['header and cookie', 400, 'ambiguous_credentials', null, { ...dpop(prove()), cookie: cookie(unbound) }],
      ['two Authorization headers', 400, 'ambiguous_credentials', null, { authorization: [`DPoP ${token}`, `Bearer ${unbound}`], dpop: prove() }],
      ['a proof and nothing else', 401, 'token_missing', 'Bearer', { dpop: prove() }],
    ]
    for (const [what, status, said, challenge, headers, method, path = '/api/things'] of expected) {
      const answer = await send(path, headers, method)
      assert.deepEqual([answer.status, answer.body['source'] ?? answer.body['code'], answer.challenge], [status, said, challenge], what)
    }
    await stop()
  })
}

test('the path is what the client has sent, however the server writes it', () => {
  const of = (request: object): string => viewOf(request as IncomingMessage).path
  assert.deepEqual(['/a/b?c=/d', '/', '', '//a', '/a#b', 'http://h:1/a?b', 'HTTPS://h', '*'].map((url) => of({ url })), ['/a/b', '/', '/', '//a', '/a', '/a', '/', '*'])
  assert.equal(of({ url: '/b', originalUrl: '/a/b?c' }), '/a/b')
  assert.equal(viewOfFetch(new Request('http://h/a//b%2F?c')).path, '/a//b%2F')
})

test('proofs are made for the issuer\'s origin unless another is set, which must be one', async () => {
  const { authority, guard, holder, token, stop } = await accessory()
  const view = (proof: string): Parameters<typeof judge>[1] =>
    ({ method: 'GET', path: '/me', header: (name) => ({ authorization: [`DPoP ${token}`], dpop: [proof] })[name] ?? [] })
  assert.equal((await judge(guard, view(holder.prove(token)))).source, 'bound')
  assert.equal(authority.introspected.length, 0)
  const good = { issuer: ISSUER, audience: 'web', feed: { url: ISSUER, credential: 'cfg_x' } }
  for (const at of ['', 'api.example.com', `${AT}/api`, `${AT}?a`, `${AT}#`, 'https://u@api.example.com', 'ftp://api.example.com', 'data:,']) {
    assert.throws(() => createGuard({ ...good, at }), TypeError, at)
  }
  for (const [at, origin] of [[`${AT}/`, AT], ['HTTPS://API.example.com:443', AT], ['http://localhost:8080', 'http://localhost:8080']] as const) {
    const made = createGuard({ ...good, at, mode: 'introspect' })
    assert.deepEqual([made.at, made.asking().at], [origin, origin])
    made.close()
  }
  await stop()
})

test('a page of Next.js is not told its address, so no proof is for it, not even one for the root', async () => {
  const { guard, holder, token, stop } = await accessory()
  for (const path of ['', '/', '/me']) {
    const headers = new Headers({ authorization: `DPoP ${token}`, dpop: holder.prove(token, { htu: `${ISSUER}${path}` }) })
    assert.equal(await reason(judgePage(guard, headers)), 'bad_proof', path)
  }
  await stop()
})

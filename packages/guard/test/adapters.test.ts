/** The same requests through each real framework: the answers must not differ. */

import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { serve } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { NextRequest } from 'next/server.js'
import { type Auth, authenticate } from '../src/credential.js'
import * as onExpress from '../src/express.js'
import { endingWith, viewOfFetch } from '../src/fetch.js'
import * as onFastify from '../src/fastify.js'
import type { Guard } from '../src/guard.js'
import * as onHono from '../src/hono.js'
import * as onNext from '../src/next.js'
import { authenticateNode, endWith } from '../src/node.js'
import type { Requirement } from '../src/require.js'
import { id, ISSUER, readyPair, until } from './support.js'

interface Sent {
  readonly path?: string
  readonly method?: string
  readonly headers?: Record<string, string | string[]>
}
interface Answered {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: Record<string, unknown>
}
type Send = (sent: Sent) => Promise<Answered>

const ROUTES: Record<string, Requirement> = { '/me': {}, '/admin': { role: ['admin', 'owner'] }, '/strong': { acr: 'aal2', maxAge: 60 } }
const PAGES = { login: '/login' }
const seen = (auth: Auth | undefined): object => ({ sub: auth?.claims.sub, source: auth?.source, at: auth?.at })

function overHttp(port: number): Send {
  return ({ path = '/me', method = 'GET', headers = {} }) => new Promise((resolve, reject) => {
    const asked = httpRequest({ port, path, method, headers: { connection: 'close', ...headers } }, (answer) => {
      let body = ''
      answer.on('data', (chunk) => { body += String(chunk) })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: JSON.parse(body || '{}') as Answered['body'] }))
    })
    asked.on('error', reject)
    asked.end()
  })
}

async function listening(server: Server): Promise<number> {
  if (!server.listening) await new Promise<void>((resolve) => server.once('listening', resolve))
  return (server.address() as AddressInfo).port
}

type Made = { send: Send; stop: () => unknown }

const FRAMEWORKS: Record<string, (guard: Guard) => Promise<Made>> = {
  async express(guard) {
    const app = express()
    app.use(onExpress.authenticate(guard, PAGES))
    for (const [path, wanted] of Object.entries(ROUTES)) {
      app.all(path, onExpress.require(wanted, PAGES), (req, res) => void res.json(seen(req.auth)))
    }
    const server = app.listen(0)
    return { send: overHttp(await listening(server)), stop: () => server.close() }
  },
  async fastify(guard) {
    const app = fastify()
    app.addHook('onRequest', onFastify.authenticate(guard, PAGES))
    for (const [url, wanted] of Object.entries(ROUTES)) {
      app.route({ method: ['GET', 'POST'], url, onRequest: onFastify.require(wanted, PAGES), handler: async (request) => seen(request.auth) })
    }
    await app.listen({ port: 0 })
    return { send: overHttp((app.server.address() as AddressInfo).port), stop: () => app.close() }
  },
  async hono(guard) {
    const app = new Hono<onHono.Authenticated>()
    app.use(onHono.authenticate(guard, PAGES))
    for (const [path, wanted] of Object.entries(ROUTES)) app.all(path, onHono.require(wanted, PAGES), (c) => c.json(seen(c.get('auth'))))
    const server = serve({ fetch: app.fetch, port: 0 }) as Server
    return { send: overHttp(await listening(server)), stop: () => server.close() }
  },
  async next(guard) {
    const handlers = new Map(Object.entries(ROUTES).map(([path, wanted]) =>
      [path, onNext.authenticate(guard, wanted, (request: onNext.Authenticated<NextRequest>, _context: unknown) => Response.json(seen(request.auth)), PAGES)]))
    const send: Send = async ({ path = '/me', method = 'GET', headers = {} }) => {
      const all = new Headers()
      for (const [name, values] of Object.entries(headers)) for (const value of [values].flat()) all.append(name, value)
      const answer = await handlers.get(path.replace(/\?.*/, ''))?.(new NextRequest(`${ISSUER}${path}`, { method, headers: all }), {})
      assert.ok(answer)
      return { status: answer.status, headers: Object.fromEntries(answer.headers), body: JSON.parse(await answer.text() || '{}') as Answered['body'] }
    }
    return { send, stop: () => {} }
  },
}

const cookie = (...tokens: string[]): string => tokens.map((token) => `__Host-cf_access=${token}`).join('; ')

for (const [name, make] of Object.entries(FRAMEWORKS)) {
  test(`${name}: who may pass, and what the others are told`, async (t) => {
    const { authority, guard, stop } = await readyPair()
    const { send, stop: stopServer } = await make(guard)
    t.after(stopServer)
    const good = authority.mint()
    const other = authority.mint({ sid: id(8), jti: id(9) })
    const ours = { 'sec-fetch-site': 'same-origin', 'x-requested-with': 'x' }
    const post = (headers: Sent['headers'] = {}): Sent => ({ method: 'POST', headers })
    const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })
    const passes: [string, Sent, string][] = [
      ['a bearer token', { headers: bearer(good) }, 'bearer'],
      ['the scheme in other case', { headers: { authorization: `bEARER ${good}` } }, 'bearer'],
      ['a cookie', { headers: { cookie: cookie(good) } }, 'cookie'],
      ['C1: a bearer token needs no origin', post(bearer(good)), 'bearer'],
      ['C1: a cookie, same origin', post({ cookie: cookie(good), ...ours }), 'cookie'],
      ['C1: a cookie, our Origin', post({ cookie: cookie(good), origin: ISSUER, 'x-requested-with': 'x' }), 'cookie'],
      ['ATK-33: the same cookie twice', { headers: { cookie: cookie(good, good) } }, 'cookie'],
      ['ATK-33: of two cookies the one that verifies', { headers: { cookie: cookie('a.b.c', good) } }, 'cookie'],
    ]
    for (const [what, sent, source] of passes) {
      const { status, body } = await send(sent)
      assert.deepEqual([status, body], [200, { sub: id(1), source, at: Math.floor(guard.now() / 1000) }], what)
    }
    const fails: [string, Sent, number, string][] = [
      ['nothing', {}, 401, 'token_missing'],
      ['nothing, unsafe', post(ours), 401, 'token_missing'],
      ['rubbish', { headers: bearer('a.b.c') }, 401, 'token_invalid'],
      ['another scheme', { headers: { authorization: 'Basic eDp5' } }, 401, 'token_invalid'],
      ['no token', { headers: { authorization: 'Bearer' } }, 401, 'token_invalid'],
      ['two tokens in one', { headers: bearer(`${good} ${good}`) }, 401, 'token_invalid'],
      ['expired', { headers: bearer(authority.mint({ exp: 1_795_260_600, iat: 1_795_260_500 })) }, 401, 'token_expired'],
      ['ATK-34: header and cookie', { headers: { ...bearer(good), cookie: cookie(other) } }, 400, 'ambiguous_credentials'],
      ['ATK-34: two Authorization headers', { headers: { authorization: [`Bearer ${good}`, `Bearer ${other}`] } }, 400, 'ambiguous_credentials'],
      ['C1: says nothing', post({ cookie: cookie(good) }), 403, 'cross_site'],
      ['C1: says nothing, and no cookie', post(), 403, 'cross_site'],
      ['C1: no custom header', post({ cookie: cookie(good), 'sec-fetch-site': 'same-origin' }), 403, 'cross_site'],
      ['C1: no origin', post({ cookie: cookie(good), 'x-requested-with': 'x' }), 403, 'cross_site'],
      ['C1: from elsewhere', post({ cookie: cookie(good), ...ours, 'sec-fetch-site': 'cross-site' }), 403, 'cross_site'],
      ['C1: from a sibling', post({ cookie: cookie(good), ...ours, 'sec-fetch-site': 'same-site' }), 403, 'cross_site'],
      ['C1: a wrong Origin', post({ cookie: cookie(good), ...ours, origin: 'https://evil.example' }), 403, 'cross_site'],
      ['C1: two answers to where from', post({ cookie: cookie(good), ...ours, 'sec-fetch-site': ['same-origin', 'cross-site'] }), 403, 'cross_site'],
      ['C1: another method in use', { ...post({ cookie: cookie(good) }), method: 'POST', path: '/admin' }, 403, 'cross_site'],
      ['ATK-33: two cookies that verify', { headers: { cookie: cookie(good, other) } }, 401, 'token_invalid'],
      ['ATK-33: a cookie in other case', { headers: { cookie: `__HOST-cf_access=${good}` } }, 401, 'token_missing'],
      ['a role is missing', { path: '/admin', headers: bearer(good) }, 403, 'forbidden'],
      ['too weak', { path: '/strong', headers: bearer(good) }, 401, 'reauthentication_required'],
    ]
    for (const [what, sent, status, code] of fails) {
      const answer = await send(sent)
      assert.deepEqual([answer.status, answer.body['code'], answer.body['status']], [status, code, status], what)
      assert.match(String(answer.headers['content-type']), /^application\/problem\+json/, what)
      assert.ok(!JSON.stringify(answer).includes(good), 'no token in an answer')
    }
    const challenge = async (sent: Sent): Promise<unknown> => (await send(sent)).headers['www-authenticate']
    assert.equal(await challenge({}), 'Bearer')
    assert.equal(await challenge({ headers: bearer('a.b.c') }), 'Bearer error="invalid_token"')
    assert.equal(await challenge({ path: '/strong', headers: bearer(good) }),
      'Bearer error="insufficient_user_authentication", acr_values="aal2", max_age="60"')
    const strong = authority.mint({ acr: 'aal2', auth_time: 1_795_260_590, roles: ['owner'] })
    assert.equal((await send({ path: '/strong', headers: bearer(strong) })).status, 200)
    assert.equal((await send({ path: '/admin', headers: bearer(strong) })).status, 200)
    const navigate = { 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'none' }
    const led = async (sent: Sent): Promise<unknown> => {
      const { status, headers: { location, 'cache-control': kept } } = await send(sent)
      return status === 303 && kept === 'no-store' ? location : status
    }
    assert.equal(await led({ path: '/me?a=b', headers: navigate }), '/login?redirect=/me%3Fa%3Db')
    assert.equal(await led({ headers: { ...navigate, cookie: cookie('a.b.c') } }), '/login?redirect=/me')
    assert.equal(await led({ path: '/strong', headers: { ...navigate, cookie: cookie(good) } }),
      '/login?redirect=/strong&ended=reauthenticate&acr_values=aal2')
    assert.equal(await led({ path: '/strong', headers: { cookie: cookie(good), 'sec-fetch-mode': 'cors' } }), 401, 'no page')
    assert.equal(await led({ path: '/strong', headers: { cookie: cookie(good), 'sec-fetch-mode': ['navigate', 'cors'] } }), 401)
    assert.equal(await led({ method: 'POST', headers: { ...navigate, ...ours } }), 401)
    assert.equal(await led({ path: '/admin', headers: { ...navigate, cookie: cookie(good) } }), 403, 'a sign-in would not help')
    guard.close()
    assert.equal(await led({ headers: { ...navigate, cookie: cookie(good) } }), 503)
    const stale = await send({ headers: bearer(good) })
    assert.deepEqual([stale.status, stale.body['code'], stale.headers['retry-after']], [503, 'verifier_stale', '1'])
    await stop()
  })
}

test('ATK-40: a sign-in page of another host is refused when the route is made, and without one nobody is led anywhere', async () => {
  const { guard, stop } = await readyPair()
  for (const login of ['//evil.example', 'https://auth.example.com/login', '/login?x']) {
    const handler = (): Response => new Response()
    for (const make of [
      () => onExpress.authenticate(guard, { login }), () => onExpress.require({}, { login }), () => onFastify.authenticate(guard, { login }),
      () => onHono.require({}, { login }), () => onNext.authenticate(guard, {}, handler, { login }),
    ]) assert.throws(make, TypeError, login)
  }
  const refuse = onNext.authenticate(guard, {}, () => new Response())
  const answer = await refuse(new NextRequest(`${ISSUER}/me`, { headers: { 'sec-fetch-mode': 'navigate' } }), {})
  assert.equal(answer.status, 401)
  await stop()
})

test('fastify: a request that never saw a socket is judged like any other', async () => {
  const { authority, guard, stop } = await readyPair()
  const app = fastify()
  app.addHook('onRequest', onFastify.authenticate(guard))
  app.get('/me', async (request) => seen(request.auth))
  const headers = { authorization: `Bearer ${authority.mint()}` }
  assert.equal((await app.inject({ url: '/me', headers })).statusCode, 200)
  assert.equal((await app.inject({ url: '/me' })).statusCode, 401)
  await stop()
})

test('ATK-34: over HTTP/2 a second Authorization header is seen too', async () => {
  const { authority, guard, stop } = await readyPair()
  const raw = (...rawHeaders: string[]): IncomingMessage => ({ method: 'GET', rawHeaders }) as unknown as IncomingMessage
  const token = `Bearer ${authority.mint()}`
  assert.equal((await authenticateNode(guard, raw('Authorization', token))).source, 'bearer')
  await assert.rejects(authenticateNode(guard, raw('authorization', token, 'x', 'authorization', 'Authorization', token)), { code: 'ambiguous_credentials' })
  await stop()
})

test('C1: a WebSocket that rests on a cookie opens only to our own pages; it and a stream end with the token', async (t) => {
  const { authority, guard, stop } = await readyPair()
  const server = createServer((request, response) => {
    void authenticateNode(guard, request).then((auth) => {
      endWith(auth, response)
      response.write('first')
    })
  })
  const outcomes: string[] = []
  server.on('upgrade', (request, socket) => {
    authenticateNode(guard, request).then((auth) => {
      outcomes.push('open')
      endWith(auth, socket)
      socket.once('close', () => outcomes.push('closed'))
    }, (error: Error) => {
      outcomes.push(error.message)
      socket.destroy()
    })
  })
  server.listen(0)
  t.after(() => server.close())
  const port = await listening(server)
  const open = (headers: Record<string, string>): void => {
    const asked = httpRequest({ port, headers: { cookie: cookie(authority.mint()), ...headers } }, (answer) => {
      answer.on('data', () => outcomes.push('data')).on('error', () => outcomes.push('stream ended'))
    })
    asked.on('error', () => {}).end()
  }
  const upgrade = { connection: 'Upgrade', upgrade: 'websocket' }
  open(upgrade)
  await until(() => outcomes.length === 1)
  open({ ...upgrade, origin: 'https://evil.example' })
  await until(() => outcomes.length === 2)
  open({ ...upgrade, origin: ISSUER })
  await until(() => outcomes.length === 3)
  open({})
  await until(() => outcomes.length === 4)
  assert.deepEqual(outcomes, ['cross_site', 'cross_site', 'open', 'data'])
  authority.revoke('sessions', id(2), 2_000_000_000)
  await until(() => outcomes.length === 6)
  assert.deepEqual(outcomes.slice(4).sort(), ['closed', 'stream ended'])
  await stop()
})

test('a streamed response of the Fetch API ends with the access of whoever opened it', async () => {
  const { authority, guard, stop } = await readyPair()
  const auth = await authenticate(guard, viewOfFetch(new Request(ISSUER, { headers: { authorization: `Bearer ${authority.mint()}` } })))
  const endless = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(Buffer.from('open')) })
  const reader = endingWith(auth, new Response(endless)).body?.getReader()
  assert.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), 'open')
  const next = reader?.read()
  authority.revoke('sessions', id(2), 2_000_000_000)
  await assert.rejects(async () => next, { reason: 'revoked' })
  await stop()
})

test('a route may ask about every token while the others judge by themselves', async () => {
  const { authority, guard, stop } = await readyPair()
  const token = authority.mint()
  const asked = authority.introspected.length
  await guard.verify(token)
  assert.equal(authority.introspected.length, asked)
  await assert.rejects(guard.asking().verify(token), { reason: 'inactive' }, 'as the authority says')
  assert.equal(authority.introspected.length, asked + 1)
  guard.close()
  await assert.rejects(guard.asking().verify(token), { reason: 'verifier_stale' })
  await stop()
})

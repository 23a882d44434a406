/** Next.js beyond route handlers: the proxy before them, pages, server actions, and one guard for all bundles. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NextRequest } from 'next/server.js'
import { viewOfFetch } from '../src/fetch.js'
import { createGuard, type Guard } from '../src/guard.js'
import { protect } from '../src/next.js'
import { auth as authOfPage, authOfAction, requireAuth } from '../src/next_page.js'
import { authIn, entering, judgeAction, judgePage, withAction } from '../src/next_request.js'
import { Problem, problemOf } from '../src/problem.js'
import { Refusal } from '../src/refusal.js'
import { sharedGuard } from '../src/shared_guard.js'
import { id, ISSUER, pair, readyPair, settle } from './support.js'

const cookie = (token: string): Record<string, string> => ({ cookie: `__Host-cf_access=${token}` })
const navigate = { 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'none' }
/** What Next.js sends for a server action. */
const action = { 'next-action': 'a1', 'sec-fetch-site': 'same-origin', origin: ISSUER }
const codeOf = (error: unknown): unknown => (error as { code?: string }).code ?? error

test('the proxy lets a good token pass, leads people to the sign-in page and tells programs why', async () => {
  const { authority, guard, stop } = await readyPair()
  const proxy = protect(guard, { role: 'editor' }, { login: '/login' })
  const good = authority.mint({ roles: ['editor'] })
  const ask = async (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<unknown> => {
    const answer = await proxy(new NextRequest(`${ISSUER}${path}`, { method, headers }))
    if (answer === undefined) return 'goes on'
    return answer.headers.get('location') ?? ((await answer.json()) as { code: string }).code
  }
  assert.equal(await ask('/a', cookie(good)), 'goes on')
  assert.equal(await ask('/a', { authorization: `Bearer ${good}` }), 'goes on')
  assert.equal(await ask('/a?b=c', navigate), `${ISSUER}/login?redirect=/a%3Fb%3Dc`, 'whole: Next.js takes no path here')
  assert.equal(await ask('/a', { ...navigate, ...cookie('a.b.c') }), `${ISSUER}/login?redirect=/a`)
  assert.equal(await ask('/a', { rsc: '1', 'sec-fetch-mode': 'cors' }), 'token_missing', 'what the router fetches goes there as a navigation then')
  assert.equal(await ask('/a', { ...navigate, ...cookie(authority.mint()) }), 'forbidden')
  authority.revoke('sessions', id(2), 2_000_000_000)
  await settle()
  assert.equal(await ask('/a', cookie(good)), 'session_revoked')
  guard.close()
  assert.equal(await ask('/a', { ...navigate, ...cookie(good) }), 'verifier_stale', 'nobody is led anywhere when nobody can tell')
  await stop()
})

test('C1: a server action passes the proxy with the header that Next.js sets, and only from our own pages', async () => {
  const { authority, guard, stop } = await readyPair()
  const proxy = protect(guard)
  const post = async (headers: Record<string, string>): Promise<unknown> => {
    const answer = await proxy(new NextRequest(`${ISSUER}/a`, { method: 'POST', headers: { ...cookie(authority.mint()), ...headers } }))
    return answer === undefined ? 'goes on' : ((await answer.json()) as { code: string }).code
  }
  assert.equal(await post(action), 'goes on')
  assert.equal(await post({ 'sec-fetch-site': 'same-origin', origin: ISSUER }), 'cross_site', 'a form without JavaScript')
  assert.equal(await post({ ...action, 'sec-fetch-site': 'cross-site' }), 'cross_site')
  assert.equal(await post({ ...action, origin: 'https://evil.example' }), 'cross_site')
  assert.equal(await post({ 'next-action': 'a1' }), 'cross_site')
  const plain = viewOfFetch(new Request(ISSUER, { headers: { 'next-action': 'a1' } }))
  assert.deepEqual([plain.header('x-requested-with'), withAction(plain).header('x-requested-with'), withAction(plain).header('origin')], [[], ['a1'], []])
  await stop()
})

test('a page learns who is signed in from the headers alone', async () => {
  const { authority, guard, stop } = await readyPair()
  const good = authority.mint()
  const found = await authIn(guard, new Headers(cookie(good)))
  assert.deepEqual([found?.claims.sub, found?.source, found?.at], [id(1), 'cookie', Math.floor(guard.now() / 1000)])
  assert.equal((await authIn(guard, new Headers({ authorization: `Bearer ${good}` })))?.source, 'bearer')
  assert.ok(await judgePage(guard, new Headers({ ...cookie(good), 'sec-fetch-site': 'cross-site' })), 'a link on another site leads here')
  const nobody: Record<string, string>[] = [
    {}, cookie('a.b.c'), cookie(authority.mint({ exp: 1_795_260_600, iat: 1_795_260_500 })),
    { ...cookie(good), dpop: 'a.b.c' },
    // What a proxy has set, or somebody in its name, says nothing.
    { 'x-user': id(1), 'x-middleware-subrequest': 'proxy:proxy:proxy:proxy:proxy' },
  ]
  for (const headers of nobody) assert.equal(await authIn(guard, new Headers(headers)), null, JSON.stringify(Object.keys(headers)))
  await assert.rejects(authIn(guard, new Headers({ ...cookie(good), authorization: 'Bearer x' })), { code: 'ambiguous_credentials' })
  guard.close()
  await assert.rejects(authIn(guard, new Headers(cookie(good))), { code: 'verifier_stale', status: 503 }, 'which is not "signed out"')
  await stop()
})

test('a page that needs somebody leads to the sign-in page, to a stronger proof, or nowhere', async () => {
  const { authority, guard, stop } = await readyPair()
  const enter = async (token: string, wanted = {}, target = '/statement?of=2026'): Promise<unknown> =>
    entering(wanted, '/login')(guard, new Headers(cookie(token)), target)
      .then((entry) => ('location' in entry ? entry.location : entry.auth.claims.sub), codeOf)
  const good = authority.mint()
  assert.equal(await enter(good), id(1))
  assert.equal(await enter(authority.mint({ exp: 1_795_260_600, iat: 1_795_260_500 })), '/login?redirect=/statement%3Fof%3D2026')
  assert.equal(await enter(good, { acr: 'aal2' }), '/login?redirect=/statement%3Fof%3D2026&ended=reauthenticate&acr_values=aal2')
  assert.equal(await enter('a.b.c', {}, '//evil.example'), '/login', 'ATK-40')
  assert.equal(await enter(good, { role: 'admin' }), 'forbidden')
  assert.throws(() => entering({}, 'https://evil.example/login'), TypeError)
  assert.throws(() => entering({ maxAge: -1 }, '/login'), TypeError)
  guard.close()
  assert.equal(await enter(good), 'verifier_stale')
  await stop()
})

test('C1: a server action asks as any POST that rests on a cookie', async () => {
  const { authority, guard, stop } = await readyPair()
  const ask = async (headers: Record<string, string>): Promise<unknown> =>
    judgeAction(guard, new Headers({ ...cookie(authority.mint()), ...headers })).then((found) => found.claims.sub, codeOf)
  assert.equal(await ask(action), id(1))
  assert.equal(await ask({ origin: ISSUER }), 'cross_site')
  assert.equal(await ask({ ...action, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }), 'cross_site')
  await stop()
})

test('outside of a request a component is told so by Next.js, and nothing passes', async () => {
  const { guard, stop } = await readyPair()
  for (const ask of [authOfPage(guard), requireAuth(guard, { target: '/' }), authOfAction(guard)]) await assert.rejects(ask, /outside a request scope/)
  await stop()
})

test('a shared guard is made when it is needed, and once for all who name it', async () => {
  const { authority, clock, stop } = await pair()
  const made: Guard[] = []
  const make = (): Guard => {
    const guard = createGuard({ issuer: ISSUER, audience: 'web', feed: { url: authority.url, credential: 'cfg_test' }, clock })
    made.push(guard)
    return guard
  }
  const [one, same, other] = [sharedGuard(make), sharedGuard(make), sharedGuard(make, 'other')]
  assert.equal(made.length, 0)
  await one.ready()
  assert.deepEqual([one.alive(), same.alive(), made.length], [true, true, 1])
  assert.equal((await same.verify(authority.mint())).sub, id(1))
  assert.equal(same.watch('', () => {}) instanceof Function, true)
  assert.deepEqual([same.at, same.origins, same.now(), same.asking()], [ISSUER, made[0]?.origins, made[0]?.now(), made[0]?.asking()])
  await assert.rejects(same.verifyBound(authority.mint(), { key: 'k' } as never), { reason: 'bad_proof' })
  other.close()
  assert.deepEqual([made.length, one.alive()], [2, true])
  same.close()
  assert.equal(one.alive(), false)
  await stop()
})

test('what another copy of a module throws is a refusal all the same', async () => {
  // As bundlers make them: one for the routes, one for the pages, one for what starts the process.
  const copyOf = async <Module>(name: string): Promise<Module> => import(`${new URL(`../src/${name}.js`, import.meta.url).href}?copy`) as Promise<Module>
  const { Refusal: OtherRefusal } = await copyOf<typeof import('../src/refusal.js')>('refusal')
  const { Problem: OtherProblem } = await copyOf<typeof import('../src/problem.js')>('problem')
  assert.notEqual(OtherRefusal, Refusal)
  assert.deepEqual([problemOf(new OtherRefusal('revoked'))?.code, problemOf(new OtherProblem('forbidden'))?.status], ['session_revoked', 403])
  for (const fault of [new Error('revoked'), { code: 'session_revoked', reason: 'revoked' }, null, undefined]) assert.equal(problemOf(fault), undefined)
  assert.ok(!(new Refusal('revoked') instanceof Problem) && !(new Problem('forbidden') instanceof Refusal))
})

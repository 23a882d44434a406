/** Fresh proofs, and the move from another system. */

import { exchange, takeOver } from '../../src/migrate.js'
import { challengeIn, fetchWithProof, prove, proofPage, type Challenge } from '../../src/step_up.js'
import { AUTHORITY, check, equal, html, json, problem, redirected, rejection, World, type Fate } from '../world.js'
import type { Scenarios } from './keeping.js'

const THINGS = `${AUTHORITY}/api/things`
const REFRESH = '/api/auth/refresh'
const ASKS = { acr_values: 'aal2 phr', max_age: 600 }
const IN_HEADER = { 'www-authenticate': 'Bearer error="insufficient_user_authentication", acr_values="aal2 phr", max_age="600"' }

/** Things that need a fresh proof, which the challenge says in the body, or in the header as guards do. */
function guarded(world: World, where: 'body' | 'header' = 'body'): void {
  world.fresh = false
  world.fate = ({ path }) => (path !== '/api/things' || world.fresh ? undefined
    : problem(401, 'reauthentication_required', where === 'body' ? ASKS : {}, where === 'header' ? IN_HEADER : {}))
}

export const proving: Scenarios = {
  'a challenge is met, and the call is sent once more': async () => {
    for (const where of ['body', 'header'] as const) {
      const world = new World({ profile: 'hybrid' })
      const client = await world.signedInTab()
      guarded(world, where)
      const asked: Challenge[] = []
      const fetch = fetchWithProof(client, async (challenge) => {
        asked.push(challenge)
        await prove(client, 'totp', '123456')
        return true
      })
      const answers = await world.clock.until(Promise.all([fetch(THINGS, { method: 'POST', body: 'a' }), fetch(THINGS, { method: 'POST', body: 'a' })]))
      equal(answers.map(({ status }) => status), [200, 200], where)
      equal(asked, [{ acrValues: ['aal2', 'phr'], maxAge: 600, options: [] }], `${where}: asked once`)
      equal(world.requests('/api/auth/step-up/totp').map(({ body }) => body), ['{"code":"123456"}'], where)
    }
  },
  'a challenge that is not met is the answer': async () => {
    const world = new World()
    const client = await world.signedInTab()
    guarded(world)
    const answer = await world.clock.until(fetchWithProof(client, () => false)(THINGS))
    equal([answer.status, (await answer.json()).code, world.sent.length], [401, 'reauthentication_required', 1], 'the answer')
    equal((await world.clock.until(client.fetch(THINGS))).status, 401, 'without anybody to ask')
    equal(client.state.status, 'signed_in', 'the state')
  },
  'a proof that is never enough: no loop': async () => {
    const world = new World()
    const client = await world.signedInTab()
    world.fate = ({ path }) => (path === '/api/things' ? problem(401, 'reauthentication_required', ASKS) : undefined)
    let asked = 0
    equal((await world.clock.until(fetchWithProof(client, () => ++asked > 0)(THINGS))).status, 401, 'the answer')
    equal([asked, world.sent.length], [1, 2], 'questions and requests')
  },
  'a call that changes something and was redirected has nobody asked, and is not sent again': async () => {
    for (const [method, times] of [['POST', 0], ['GET', 1]] as const) {
      const world = new World()
      const client = await world.signedInTab()
      world.fate = ({ path }) => (path === '/api/things' ? redirected(problem(401, 'reauthentication_required', ASKS)) : undefined)
      let asked = 0
      equal((await world.clock.until(fetchWithProof(client, () => ++asked > 0)(THINGS, { method }))).status, 401, method)
      equal([asked, world.sent.length], [times, 1 + times], `${method}: questions and requests`)
    }
  },
  'a stranger has nobody asked for a proof; a listed API does': async () => {
    for (const [url, times] of [['https://evil.test/', 0], ['https://api.example.test/things', 1]] as const) {
      const world = new World({ profile: 'hybrid', apis: ['https://api.example.test/'] })
      const client = await world.signedInTab()
      world.api = () => problem(401, 'reauthentication_required', ASKS)
      let asked = 0
      equal((await world.clock.until(fetchWithProof(client, () => ++asked > 0)(url))).status, 401, url)
      equal([asked, world.sent.length], [times, 1 + times], `${url}: questions and requests`)
    }
  },
  'a renewal that wants a proof first: the state says what, and the session goes on after it': async () => {
    const world = new World()
    const client = await world.signedInTab()
    await world.clock.advance(301_000)
    let proved = false
    world.fate = ({ path }) => {
      if (path === REFRESH && !proved) return problem(401, 'reauthentication_required', { options: ['passkey', 'totp'] })
      if (path !== '/api/auth/step-up/totp') return undefined
      proved = true
      world.accessUntil = world.clock.wall + 300_000
      return json(200, { expires_in: 300 })
    }
    const state = await world.clock.until(client.session())
    equal(state.status === 'unknown' && challengeIn(state.problem)?.options, ['passkey', 'totp'], 'what would be enough')
    await world.clock.until(prove(client, 'totp', '123456'))
    equal(client.state.status, 'signed_in', 'after it')
  },
  'a proof given with tokens that have run out renews them first': async () => {
    const world = new World()
    const client = await world.signedInTab()
    await world.clock.advance(301_000)
    await world.clock.until(prove(client, 'password', 'right'))
    equal(world.sent.map(({ path }) => path).slice(0, 3), ['/api/auth/step-up/password', REFRESH, '/api/auth/step-up/password'], 'the requests')
  },
  'the hosted page is told what is asked for, and where to lead back': async () => {
    const client = new World().tab()
    equal(proofPage(client, { acrValues: ['phr'], maxAge: 600, options: [] }, '/orders?open=1'),
      `${AUTHORITY}/login?redirect=%2Forders%3Fopen%3D1&ended=reauthenticate&acr_values=phr`, 'the address')
  },
}

// ---- The move ---------------------------------------------------------------------------------

function storage(token: string | null): { getItem: () => string | null, removeItem: () => void, token: string | null } {
  return {
    token,
    getItem() {
      return this.token
    },
    removeItem() {
      this.token = null
    },
  }
}

const KEPT: Readonly<Record<string, Fate>> = {
  'no network': 'unsent', 'a lost answer': 'lost', '500': problem(500, 'internal'), '502, HTML': html(502), '429': problem(429, 'rate_limited'),
  '401, HTML': html(401), '404': problem(404, 'not_found'), '503': problem(503, 'overloaded'),
}

export const moving: Scenarios = {
  'a good token becomes a session, and leaves the storage': async () => {
    const world = new World({ clientId: 'shop' })
    const [client, old] = [world.tab(), storage('good')]
    equal((await world.clock.until(takeOver(client, { storage: old, key: 'token', remember: true }))).status, 'signed_in', 'the outcome')
    equal([old.token, client.state.status], [null, 'signed_in'], 'afterwards')
    equal(world.requests('/api/auth/legacy').map(({ body }) => JSON.parse(body)), [{ token: 'good', client_id: 'shop', remember: true }], 'sent')
    equal((await takeOver(client, { storage: old, key: 'token' })).status, 'nothing', 'the next time')
  },
  'a token that is refused leaves the storage': async () => {
    for (const [token, code] of [['bad', 'legacy_token_invalid'], ['closed', 'legacy_closed']] as const) {
      const world = new World()
      const old = storage(token)
      equal(await world.clock.until(takeOver(world.tab(), { storage: old, key: 'token' })), { status: 'refused', code }, 'the outcome')
      equal([old.token, world.requests('/api/auth/legacy').length], [null, 1], 'afterwards')
    }
  },
  ...Object.fromEntries(Object.entries(KEPT).map(([what, fate]) => [`the token stays: ${what}`, async () => {
    const world = new World()
    const [client, old] = [world.tab(), storage('good')]
    world.fate = ({ path }) => (path === '/api/auth/legacy' ? fate : undefined)
    equal((await world.clock.until(takeOver(client, { storage: old, key: 'token' }))).status, 'later', 'the outcome')
    equal([old.token, world.requests('/api/auth/legacy').length], ['good', 1], 'afterwards')
    // Whoever signs in by other means is not signed in by it once more.
    world.fate = () => undefined
    await world.clock.until(client.signIn({ email: 'ada@example.test', password: 'right' }))
    equal(old.token, null, 'after a sign-in')
  }])),
  'however often it is tried, only one waits for a sign-in': async () => {
    const world = new World()
    const [tab, old] = [world.tab(), storage('good')]
    let waiting = 0
    const client: typeof tab = Object.create(tab, {
      subscribe: {
        value: (...listener: Parameters<typeof tab.subscribe>) => {
          const stop = tab.subscribe(...listener)
          waiting += 1
          return () => {
            stop()
            waiting -= 1
          }
        },
      },
    })
    world.fate = () => 'unsent'
    for (const count of [1, 1, 1]) {
      equal((await world.clock.until(takeOver(client, { storage: old, key: 'token' }))).status, 'later', 'the outcome')
      equal(waiting, count, 'subscribers')
    }
    world.fate = () => undefined
    await world.clock.advance(120_000)
    equal((await world.clock.until(takeOver(client, { storage: old, key: 'token' }))).status, 'signed_in', 'the outcome')
    equal([waiting, old.token], [0, null], 'afterwards')
  },
  'it was used by another tab, whose cookies are there by now': async () => {
    const world = new World()
    const [client, old] = [world.tab(), storage('used')]
    world.fate = ({ path }) => {
      if (path === '/api/auth/legacy') [world.refreshCookie, world.generation] = [7, 7]
      return undefined
    }
    equal([(await world.clock.until(takeOver(client, { storage: old, key: 'token' }))).status, old.token], ['signed_in', null], 'the outcome')
  },
  'it was used long ago, and there is no session of it here: it opens nothing any more': async () => {
    const world = new World()
    const old = storage('used')
    equal(await world.clock.until(takeOver(world.tab(), { storage: old, key: 'token' })), { status: 'refused', code: 'legacy_token_used' }, 'the outcome')
    equal([old.token, world.requests('/api/auth/legacy').length], [null, 1], 'afterwards')
  },
  'it was used, and whether there is a session cannot be told: it stays': async () => {
    const world = new World()
    const old = storage('used')
    let used = false
    world.fate = ({ path }) => {
      if (path === '/api/auth/legacy') used = true
      return used && path === REFRESH ? html(502) : undefined
    }
    equal([(await world.clock.until(takeOver(world.tab(), { storage: old, key: 'token' }))).status, old.token], ['later', 'used'], 'the outcome')
  },
  'who is signed in already needs no exchange': async () => {
    const world = new World()
    const [client, old] = [await world.signedInTab(), storage('good')]
    equal([(await world.clock.until(takeOver(client, { storage: old, key: 'token' }))).status, old.token], ['signed_in', null], 'the outcome')
    equal(world.requests('/api/auth/legacy').length, 0, 'exchanges')
  },
  'what stands in the storage may be more than the token, or none': async () => {
    const world = new World()
    const old = storage('{"jwt":"good"}')
    const read = (stored: string): string | undefined => JSON.parse(stored).jwt
    equal((await world.clock.until(takeOver(world.tab(), { storage: old, key: 'auth', read }))).status, 'signed_in', 'more')
    const empty = storage('{}')
    equal((await world.clock.until(takeOver(new World().tab(), { storage: empty, key: 'auth', read }))).status, 'refused', 'none')
  },
  'an exchange by itself says what it comes to': async () => {
    const world = new World()
    equal((await rejection(world.clock.until(exchange(world.tab(), 'bad')))).code, 'legacy_token_invalid', 'the code')
    check(!JSON.stringify(await rejection(world.clock.until(exchange(world.tab(), 'closed')))).includes('"closed"'), 'the token is not in it')
  },
}

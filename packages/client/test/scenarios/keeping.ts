/** What keeps an honest session alive: renewals that share, wait, give up and come back, and never a sign-out that did not happen. */

import type { Client, State } from '../../src/index.js'
import { answer, AUTHORITY, check, equal, GRACE_MS, html, json, LIFE_S, problem, rejection, settle, World, type Fate } from '../world.js'

export type Scenarios = Readonly<Record<string, () => Promise<void>>>

const REFRESH = '/api/auth/refresh'
const THINGS = `${AUTHORITY}/api/things`
const [WINDOW_MS, TRY_MS] = [GRACE_MS / 2, GRACE_MS / 3]

/** An API of the authority's own house, which takes the same cookie. */
function house(world: World): void {
  const { fate } = world
  world.fate = (sent) => fate(sent) ?? (sent.path === '/api/things' ? world.refusal(sent) : undefined)
}

function unknown(state: State): Extract<State, { status: 'unknown' }> {
  check(state.status === 'unknown', `the state is ${JSON.stringify(state)}`)
  return state
}

/** Time passes until the tokens have run out. */
async function expired(world: World): Promise<void> {
  await world.clock.advance(LIFE_S * 1000 + 1)
  world.sent.length = 0
}

// ---- Nothing but a 401 of the authority's with a known code signs anybody out ------------------

const TROUBLES: Readonly<Record<string, readonly [cause: string, fate: () => Fate]>> = {
  'the network is gone': ['unreachable', () => 'unsent'],
  'the answer is lost': ['unreachable', () => 'lost'],
  'nothing answers': ['unreachable', () => 'silent'],
  '429 of Counterfoil': ['rate_limited', () => problem(429, 'rate_limited')],
  '429 of a proxy': ['rate_limited', () => html(429)],
  '500': ['unavailable', () => problem(500, 'internal')],
  '502, HTML': ['unavailable', () => html(502)],
  '503 of Counterfoil': ['unavailable', () => problem(503, 'overloaded')],
  '200, HTML': ['not_counterfoil', () => html(200)],
  '200, an empty body': ['not_counterfoil', () => answer('', 200, { 'content-type': 'application/json' })],
  '200, JSON of another server': ['not_counterfoil', () => json(200, { ok: true })],
  '204': ['not_counterfoil', () => new Response(null, { status: 204 })],
  '401, HTML: a proxy that wants a password': ['not_counterfoil', () => html(401)],
  '401, JSON that is no problem': ['not_counterfoil', () => json(401, { code: 'refresh_invalid' })],
  '401, a code that nobody knows': ['refused', () => problem(401, 'new_in_2031')],
  '401, proof_required': ['proof_required', () => problem(401, 'proof_required')],
  '401, reauthentication_required': ['reauthentication_required', () => problem(401, 'reauthentication_required')],
  '403, cross_site': ['cross_site', () => problem(403, 'cross_site')],
  '404, HTML: a wrong address': ['not_counterfoil', () => html(404)],
  '409, refresh_superseded, again and again': ['refused', () => problem(409, 'refresh_superseded')],
  'a problem whose members are of wrong types': ['refused', () => problem(401, 'odd', { detail: {}, reason: 7 })],
}

const never: Record<string, () => Promise<void>> = {}
for (const [trouble, [cause, fate]] of Object.entries(TROUBLES)) {
  for (const profile of ['cookie', 'hybrid'] as const) {
    never[`no sign-out, and a clear state: ${trouble} (${profile})`] = async () => {
      const world = new World({ profile })
      const client = await world.signedInTab()
      const seen: string[] = []
      client.subscribe(({ status }) => seen.push(status))
      await expired(world)
      world.fate = fate
      const state = unknown(await world.clock.until(client.refresh()))
      equal(state.cause, cause, 'the cause')
      check(state.message.length > 5, 'a message for people')
      equal(state.last?.user.id, 'ada', 'who was there')
      check(world.refreshes.length >= 1 && world.refreshes.length <= 3, `${world.refreshes.length} tries`)
      // The world is well again.
      world.fate = () => undefined
      await world.clock.advance(WINDOW_MS / 2)
      equal((await world.clock.until(client.session())).status, 'signed_in', 'and then')
      check(!seen.includes('signed_out'), `signed out in between: ${seen}`)
    }
  }
}

export const ending: Scenarios = {
  ...Object.fromEntries([
    ['expired', 'expired'], ['signed_out', 'signed_out'], ['ended_by_you', 'ended_by_you'], ['ended_by_admin', 'ended_by_admin'],
    ['password_changed', 'password_changed'],
  ].map(([reason]) => [`the authority's reason is the state's: ${reason}`, async () => {
    const world = new World()
    const client = await world.signedInTab()
    await expired(world)
    world.ended = reason
    equal(await world.clock.until(client.session()), { status: 'signed_out', reason }, 'the state')
    // What is known is not asked again with each call.
    world.sent.length = 0
    house(world)
    equal((await world.clock.until(client.fetch(THINGS))).status, 401, 'a call')
    equal(world.refreshes.length, 0, 'renewals')
    // Asked by somebody, with no cookie left, the reason stays.
    world.refreshCookie = undefined
    equal(await world.clock.until(client.session()), { status: 'signed_out', reason }, 'the state later')
  }])),
  'reuse is suspected theft': async () => {
    const world = new World()
    const client = await world.signedInTab()
    await expired(world)
    world.fate = ({ path }) => (path === REFRESH ? problem(401, 'refresh_reuse') : undefined)
    equal(await world.clock.until(client.refresh()), { status: 'signed_out', reason: 'suspected_theft' }, 'the state')
  },
  'nobody has ever signed in here: two questions, and no reason': async () => {
    const world = new World()
    const client = world.tab()
    equal(unknown(client.state).cause, 'not_asked', 'before')
    equal(world.sent.length, 0, 'nothing is asked unasked')
    equal(await world.clock.until(client.session()), { status: 'signed_out' }, 'the state')
    equal(world.sent.length, 2, 'questions')
  },
  'an API says that the session is over: the authority is asked, and says why': async () => {
    const world = new World()
    const client = await world.signedInTab()
    world.ended = 'ended_by_admin'
    house(world)
    equal((await world.clock.until(client.fetch(THINGS))).status, 401, 'the call')
    equal(client.state, { status: 'signed_out', reason: 'ended_by_admin' }, 'the state')
    equal(world.refreshes.length, 1, 'renewals')
  },
  'opaque: there is no renewal, and a 401 is the end': async () => {
    const world = new World({ profile: 'opaque' })
    const client = await world.signedInTab()
    house(world)
    equal((await world.clock.until(client.fetch(THINGS))).status, 200, 'a call')
    await expired(world)
    equal((await world.clock.until(client.fetch(THINGS))).status, 401, 'a call later')
    equal(client.state, { status: 'signed_out' }, 'the state')
    equal((await world.clock.until(client.refresh())).status, 'signed_out', 'and asked')
    equal(world.refreshes.length, 0, 'renewals')
  },
  'opaque: after the idle time a call asks nothing of the authority ahead': async () => {
    const world = new World({ profile: 'opaque' })
    const client = await world.signedInTab()
    await expired(world)
    // Calls keep such a session alive.
    world.accessUntil = Infinity
    for (let call = 0; call < 3; call += 1) equal((await world.clock.until(client.fetch(THINGS))).status, 200, 'a call')
    equal(world.sent.map(({ path }) => path), Array(3).fill('/api/things'), 'requests')
  },
  'opaque: where a 401 cannot be explained, a call is rejected, and the authority is not asked with each': async () => {
    const world = new World({ profile: 'opaque' })
    const client = await world.signedInTab()
    world.fate = ({ path }) => (path === '/api/things' ? problem(401, 'token_missing') : html(502))
    for (let call = 0; call < 20; call += 1) {
      const error = await rejection(client.fetch(THINGS))
      equal([error.code, (error as unknown as { status: number }).status], ['unavailable', 502], 'the error')
    }
    unknown(client.state)
    equal(world.requests('/api/auth/me').length, 1, 'questions')
    world.fate = ({ path }) => (path === '/api/things' ? problem(401, 'token_missing') : undefined)
    await world.clock.advance(2000)
    equal((await world.clock.until(client.fetch(THINGS))).status, 401, 'where the authority says that the session lives, the API has the word')
  },
  'opaque: a late refusal of an old question does not sign out who has signed in meanwhile': async () => {
    const world = new World({ profile: 'opaque' })
    const client = await world.signedInTab()
    await expired(world)
    let first = true
    world.fate = ({ path }) => {
      if (path !== '/api/auth/me' || !first) return undefined
      first = false
      return { after: 5000 }
    }
    const asked = client.session()
    await settle()
    equal((await client.signIn({ email: 'ada@example.test', password: 'right' })).status, 'signed_in', 'a sign-in')
    equal((await world.clock.until(asked)).status, 'signed_in', 'the old question')
    equal(client.state.status, 'signed_in', 'the state')
  },
  'opaque: HTML, 500 and silence end nothing': async () => {
    for (const fate of [html(401), problem(500, 'internal'), 'unsent' as const]) {
      const world = new World({ profile: 'opaque' })
      const client = await world.signedInTab()
      world.fate = () => fate
      unknown(await world.clock.until(client.session()))
      equal(world.requests('/api/auth/me').length, 1, 'questions')
    }
  },
  'hybrid, and the refresh cookie was not kept: the first renewal says so, and not that somebody has signed out': async () => {
    const world = new World({ profile: 'hybrid', cookies: false })
    const client = world.tab()
    await world.clock.until(client.signIn({ email: 'ada@example.test', password: 'right' }))
    await expired(world)
    equal(unknown(await world.clock.until(client.refresh())).cause, 'cookies_blocked', 'the cause')
    check(world.sent.length <= 4, `${world.sent.length} requests`)
  },
  'cookies are blocked: the sign-in says so, and nothing goes in circles': async () => {
    for (const profile of ['cookie', 'opaque'] as const) {
      const world = new World({ profile, cookies: false })
      const client = world.tab()
      const error = await rejection(world.clock.until(client.signIn({ email: 'ada@example.test', password: 'right' })))
      equal(error.code, 'cookies_blocked', 'the code')
      equal(unknown(client.state).cause, 'cookies_blocked', 'the cause')
      equal(world.sent.length, 2, 'requests')
    }
  },
}

// ---- Renewals ---------------------------------------------------------------------------------

export const renewing: Scenarios = {
  ...never,
  'twenty calls at the end of the tokens cost one renewal, ahead of it': async () => {
    const world = new World()
    const client = await world.signedInTab()
    house(world)
    await world.clock.advance((LIFE_S - 31) * 1000)
    await world.clock.until(client.fetch(THINGS))
    equal(world.refreshes.length, 0, 'renewals before it is time')
    await world.clock.advance(2000)
    const answers = await world.clock.until(Promise.all(Array.from({ length: 20 }, () => client.fetch(THINGS))))
    equal([...new Set(answers.map(({ status }) => status))], [200], 'the answers')
    equal(world.refreshes.length, 1, 'renewals')
  },
  'a refusal that a renewal may cure: one renewal, one more try': async () => {
    for (const code of ['token_missing', 'token_expired', 'token_stale', 'token_invalid']) {
      const world = new World()
      const client = await world.signedInTab()
      let refused = 0
      world.fate = ({ path }) => (path === '/api/things' && refused++ === 0 ? problem(401, code) : undefined)
      equal((await world.clock.until(client.fetch(THINGS, { method: 'POST', body: 'once' }))).status, 200, code)
      equal([world.refreshes.length, world.requests('/api/things').map(({ body }) => body)], [1, ['once', 'once']], code)
    }
  },
  'a refusal that does not end is given back: one renewal, one more try, no loop': async () => {
    const world = new World()
    const client = await world.signedInTab()
    world.fate = ({ path }) => (path === '/api/things' ? problem(401, 'token_stale') : undefined)
    equal((await world.clock.until(client.fetch(THINGS))).status, 401, 'the answer')
    equal([world.refreshes.length, world.requests('/api/things').length], [1, 2], 'renewals and tries')
    await expired(world)
    equal((await world.clock.until(client.fetch(THINGS))).status, 401, 'the answer where it was renewed ahead')
    equal([world.refreshes.length, world.requests('/api/things').length], [1, 1], 'renewals and tries')
  },
  'other refusals are none of its business': async () => {
    const world = new World()
    const client = await world.signedInTab()
    const others = [html(401), problem(401, 'invalid_code'), problem(403, 'token_missing'), json(401, { code: 'token_missing' }), html(500)]
    for (const answer of others) {
      world.fate = () => answer
      await world.clock.until(client.fetch(THINGS))
    }
    equal(world.sent.length, others.length, 'requests')
    equal(client.state.status, 'signed_in', 'the state')
  },
  'calls refused while another has renewed are sent again, without another renewal': async () => {
    const world = new World()
    const client = await world.signedInTab()
    world.accessUntil = 0
    let first = true
    world.fate = ({ path }) => {
      if (path !== '/api/things' || !first) return undefined
      first = false
      return { after: 5000 }
    }
    const slow = client.fetch(THINGS)
    equal((await world.clock.until(client.fetch(THINGS))).status, 200, 'the quick one')
    equal((await world.clock.until(slow)).status, 200, 'the slow one, which was refused')
    equal([world.refreshes.length, world.requests('/api/things').length], [1, 4], 'renewals and tries')
  },
  'where it cannot be renewed, a call is rejected: its 401 is no sign-out': async () => {
    const world = new World()
    const client = await world.signedInTab()
    world.accessUntil = 0
    house(world)
    const inner = world.fate
    world.fate = (sent) => (sent.path === REFRESH ? html(502) : inner(sent))
    equal((await rejection(world.clock.until(client.fetch(THINGS)))).code, 'unavailable', 'the code')
    equal(world.refreshes.length, 2, 'tries')
  },
  'ahead of their end, tokens still count where they cannot be renewed': async () => {
    const world = new World()
    const client = await world.signedInTab()
    house(world)
    const inner = world.fate
    world.fate = (sent) => (sent.path === REFRESH ? 'unsent' : inner(sent))
    await world.clock.advance((LIFE_S - 20) * 1000)
    equal((await world.clock.until(client.fetch(THINGS))).status, 200, 'the answer')
  },
  'the answer is lost: it is asked for again soon, and the authority repeats it': async () => {
    const world = new World()
    const client = await world.signedInTab()
    await expired(world)
    let lost = 0
    world.fate = ({ path }) => (path === REFRESH && lost++ === 0 ? 'lost' : undefined)
    equal((await world.clock.until(client.refresh())).status, 'signed_in', 'the state')
    const [one, two] = world.refreshes.map(({ at }) => at)
    check(world.refreshes.length === 2 && two! - one! >= 300 && two! - one! <= 450, `tried at ${one}, ${two}`)
  },
  'a try is given up after a third of the grace, and no other begins after half of it, counted from the first': async () => {
    const world = new World()
    const client = await world.signedInTab()
    await expired(world)
    const start = world.clock.mono
    world.fate = ({ path }) => (path === REFRESH ? 'silent' : 'unsent')
    unknown(await world.clock.until(client.refresh()))
    const tries = world.refreshes.map(({ at }) => at - start)
    check(tries.length === 2 && tries[0] === 0 && tries[1]! >= TRY_MS && tries[1]! < WINDOW_MS, `tried at ${tries}`)
    // Another renewal soon after is one more try of the same token: it begins too late for a second one of its own.
    world.sent.length = 0
    unknown(await world.clock.until(client.refresh()))
    equal(world.refreshes.length, 1, 'tries of the next renewal')
  },
  'a tab that was frozen, or a machine that slept, during a renewal tries no second time': async () => {
    for (const pass of ['frozen', 'asleep', 'asleep in the pause']) {
      const world = new World()
      const client = await world.signedInTab()
      await expired(world)
      world.fate = ({ path }) => {
        if (path !== REFRESH) return undefined
        world.clock.sleep(pass === 'asleep' ? 3_600_000 : 0)
        if (pass === 'asleep in the pause') world.clock.after(100, () => world.clock.sleep(3_600_000))
        if (pass === 'frozen') world.clock.mono += 3_600_000
        return 'unsent'
      }
      unknown(await world.clock.until(client.refresh()))
      equal(world.refreshes.length, 1, `${pass}: tries`)
    }
  },
  'the machine has slept: the tokens are renewed before the next call': async () => {
    const world = new World()
    const client = await world.signedInTab()
    house(world)
    world.clock.sleep(3_600_000)
    equal((await world.clock.until(client.fetch(THINGS))).status, 200, 'the answer')
    equal(world.sent.map(({ path }) => path), [REFRESH, '/api/things'], 'the requests')
  },
  'clocks of machines that are ten minutes off, or are set, do not matter': async () => {
    for (const off of [-600_000, 600_000]) {
      const world = new World()
      const client = world.tab()
      // The authority counts by its own: the cookie's life is a duration.
      await world.clock.until(client.signIn({ email: 'ada@example.test', password: 'right' }))
      world.clock.wall += off
      world.accessUntil += off
      world.rotatedAt += off
      house(world)
      world.sent.length = 0
      equal((await world.clock.until(client.fetch(THINGS))).status, 200, `${off}: the answer`)
      check(world.refreshes.length <= (off > 0 ? 1 : 0), `${off}: ${world.refreshes.length} renewals`)
      await expired(world)
      equal((await world.clock.until(client.fetch(THINGS))).status, 200, `${off}: the answer later`)
      equal([world.refreshes.length, client.state.status], [1, 'signed_in'], `${off}: later`)
    }
  },
  'Retry-After is kept, also when a person presses a button': async () => {
    const world = new World()
    const client = await world.signedInTab()
    await expired(world)
    world.fate = () => problem(429, 'rate_limited', {}, { 'retry-after': '120' })
    equal(unknown(await world.clock.until(client.refresh())).retryAfter, 120, 'seconds')
    world.fate = () => undefined
    await world.clock.advance(119_000)
    unknown(await world.clock.until(client.session()))
    unknown(await world.clock.until(client.refresh()))
    equal(world.sent.length, 1, 'requests')
    await world.clock.advance(62_000)
    equal((await world.clock.until(client.session())).status, 'signed_in', 'after it')
  },
  'after failures it waits longer each time; a person who presses a button does not': async () => {
    const world = new World()
    const client = await world.signedInTab()
    house(world)
    await expired(world)
    const inner = world.fate
    world.fate = (sent) => (sent.path === REFRESH ? 'unsent' : inner(sent))
    await rejection(world.clock.until(client.fetch(THINGS)))
    equal(world.refreshes.length, 2, 'tries of the first call')
    for (let call = 0; call < 20; call += 1) await rejection(client.fetch(THINGS))
    equal(world.refreshes.length, 2, 'tries of twenty calls at once after it')
    unknown(await world.clock.until(client.refresh()))
    equal(world.refreshes.length, 4, 'tries of the button')
  },
  'the server fails for a minute: few requests, and it recovers by itself where somebody looks': async () => {
    const world = new World()
    const client = await world.signedInTab()
    await expired(world)
    const states: State[] = []
    client.subscribe((state) => states.push(state))
    world.fate = () => problem(500, 'internal')
    unknown(await world.clock.until(client.session()))
    await world.clock.advance(60_000)
    check(world.sent.length >= 6 && world.sent.length <= 16, `${world.sent.length} requests in a minute`)
    world.fate = () => undefined
    // What was sent in that minute never reached a decision: the session of before is still there.
    await world.clock.advance(90_000)
    equal(client.state.status, 'signed_in', 'the state')
    check(!states.some(({ status }) => status === 'signed_out'), 'nobody was signed out')
  },
  'nobody looks: nothing is asked': async () => {
    const world = new World()
    const client = await world.signedInTab()
    await expired(world)
    world.fate = () => 'unsent'
    unknown(await world.clock.until(client.session()))
    world.sent.length = 0
    await world.clock.advance(600_000)
    equal(world.sent.length, 0, 'requests')
  },
  'somebody looks only later: it is asked again then, and not before it is time': async () => {
    const world = new World()
    const client = await world.signedInTab()
    await expired(world)
    world.fate = () => 'unsent'
    unknown(await world.clock.until(client.session()))
    world.sent.length = 0
    const stop = client.subscribe(() => undefined)
    await settle()
    stop()
    equal(world.sent.length, 0, 'requests at once')
    await world.clock.advance(600_000)
    world.fate = () => undefined
    client.subscribe(() => undefined)
    await settle()
    equal(client.state.status, 'signed_in', 'the state')
    const fresh = world.tab()
    world.sent.length = 0
    fresh.subscribe(() => undefined)
    await settle()
    equal(world.sent.length, 0, 'where nothing was asked before')
  },
  'a renewal that succeeds while it is not known who is here: it is asked again': async () => {
    const world = new World()
    const client = await world.signedInTab()
    client.subscribe(() => undefined)
    let asked = 0
    world.fate = ({ path }) => (path === '/api/auth/me' && asked++ === 0 ? html(502) : path === REFRESH ? { after: 500 } : undefined)
    world.accessUntil = 0
    const call = client.fetch(THINGS)
    await settle()
    equal(world.refreshes.length, 1, 'renewals under way')
    unknown(await world.clock.until(client.session()))
    equal((await world.clock.until(call)).status, 200, 'the call')
    await world.clock.advance(120_000)
    equal(client.state.status, 'signed_in', 'the state')
  },
  'the same function may subscribe twice, and one of the two go': async () => {
    const world = new World()
    const client = world.tab()
    let heard = 0
    const listener = (): void => void (heard += 1)
    const stop = client.subscribe(listener)
    client.subscribe(listener)
    stop()
    stop()
    await world.clock.until(client.session())
    equal(heard, 1, 'times heard')
  },
  'where the grace is a few seconds, or none, an answer that is only slow is waited for': async () => {
    for (const grace of [0, 1, 3, 8]) {
      const world = new World({ grace })
      const client = await world.signedInTab()
      await expired(world)
      world.fate = ({ path }) => (path === REFRESH ? { after: 5000 } : undefined)
      equal((await world.clock.until(client.refresh())).status, 'signed_in', `${grace} s: the state`)
      equal(world.refreshes.length, 1, `${grace} s: tries`)
      // Nothing may be sent a second time when the grace may be over.
      await expired(world)
      world.fate = ({ path }) => (path === REFRESH ? 'silent' : 'unsent')
      const start = world.clock.mono
      unknown(await world.clock.until(client.refresh()))
      equal([world.refreshes.length, world.clock.mono - start], [1, 30_000], `${grace} s: tries where nothing comes, and how long`)
    }
  },
  'superseded: once more, with the newer cookie': async () => {
    const world = new World()
    const client = await world.signedInTab()
    await expired(world)
    let first = true
    world.fate = ({ path }) => {
      if (path !== REFRESH || !first) return undefined
      first = false
      return problem(409, 'refresh_superseded')
    }
    equal((await world.clock.until(client.refresh())).status, 'signed_in', 'the state')
    equal(world.refreshes.length, 2, 'tries')
  },
  'a proof that is missing: once more, with the one that the browser makes': async () => {
    const world = new World()
    const client = await world.signedInTab()
    await expired(world)
    let first = true
    world.fate = ({ path }) => {
      if (path !== REFRESH || !first) return undefined
      first = false
      return problem(401, 'proof_required')
    }
    equal((await world.clock.until(client.refresh())).status, 'signed_in', 'the state')
  },
}

/** For the other files. */
export async function aliveLater(world: World, client: Client): Promise<void> {
  await settle()
  await expired(world)
  equal((await world.clock.until(client.refresh())).status, 'signed_in', 'the session lives')
}

/** Signing in and out, one at a time in a tab and told to the others; and what goes where. */

import { createClient } from '../../src/index.js'
import { prove, verify } from '../../src/step_up.js'
import { AUTHORITY, check, equal, html, json, problem, redirected, rejection, settle, World, type Fate } from '../world.js'
import { aliveLater, type Scenarios } from './keeping.js'

const REFRESH = '/api/auth/refresh'
const RIGHT = { email: 'ada@example.test', password: 'right' }
const THINGS = `${AUTHORITY}/api/things`

export const signingInAndOut: Scenarios = {
  'a sign-in, and what it is to everybody': async () => {
    const world = new World({ clientId: 'shop' })
    const [client, other] = [world.tab(), world.tab()]
    const seen: string[] = []
    client.subscribe(({ status }) => seen.push(status))
    const result = await world.clock.until(client.signIn({ ...RIGHT, remember: false }))
    equal([result.status, client.state.status, seen], ['signed_in', 'signed_in', ['signed_in']], 'here')
    const [{ body, headers, method }] = world.requests('/api/auth/login') as [typeof world.sent[0]]
    equal([method, JSON.parse(body)], ['POST', { ...RIGHT, remember: false, client_id: 'shop' }], 'what was sent')
    check(headers.get('x-requested-with'), 'with the header that the authority wants to see')
    await settle()
    equal(other.state.status, 'signed_in', 'in the other tab')
  },
  'a wrong password is an error, and no state': async () => {
    const world = new World()
    const client = await world.signedInTab()
    const error = await rejection(world.clock.until(client.signIn({ email: 'ada@example.test', password: 'wrong' })))
    equal([error.code, error.message, client.state.status], ['invalid_credentials', 'About invalid_credentials.', 'signed_in'], 'the error')
    check(!JSON.stringify(error).includes('wrong'), 'the password is not in it')
  },
  'a sign-in that needs another step': async () => {
    const world = new World()
    world.second = 'totp'
    const client = world.tab()
    const result = await world.clock.until(client.signIn(RIGHT))
    equal(result, { next: 'totp', options: ['totp'], status: 'next' }, 'the result')
    equal(client.state.status, 'unknown', 'the state')
    equal((await rejection(world.clock.until(verify(client, 'totp', '999999')))).code, 'invalid_code', 'a wrong code')
    equal((await world.clock.until(verify(client, 'recovery_code', '123456'))).status, 'signed_in', 'the right one')
    equal(world.requests('/api/auth/recovery-codes/verify').length, 1, 'its address')
  },
  'what is no answer of Counterfoil\'s signs nobody in': async () => {
    for (const answer of [html(200), json(200, { ok: true }), html(302)]) {
      const world = new World()
      const client = world.tab()
      world.fate = () => answer
      equal((await rejection(world.clock.until(client.signIn(RIGHT)))).code, 'not_counterfoil', 'the code')
      equal([world.sent.length, client.state.status], [1, 'unknown'], 'requests, and the state')
    }
  },
  'a sign-in aborts a refresh and waits for its end: its late answer puts nothing back': async () => {
    const world = new World()
    const client = await world.signedInTab()
    world.fate = ({ path }) => (path === REFRESH ? { after: 5000 } : undefined)
    const refreshed = client.refresh()
    await settle()
    world.user = 'grace'
    const result = await world.clock.until(client.signIn(RIGHT))
    equal(result.status === 'signed_in' && result.user.id, 'grace', 'who signed in')
    world.fate = () => undefined
    await world.clock.advance(10_000)
    const state = await world.clock.until(refreshed)
    equal(state.status === 'signed_in' && state.user.id, 'grace', 'what the refresh comes to')
    equal(world.refreshes.length, 1, 'renewals')
    await aliveLater(world, client)
  },
  'a sign-in is not sent before the refresh that it has aborted is over': async () => {
    const world = new World()
    const client = await world.signedInTab()
    world.fate = ({ path }) => (path === REFRESH ? { after: 2000, stubborn: true } : undefined)
    void client.refresh()
    await settle()
    await world.clock.until(client.signIn(RIGHT))
    equal(world.requests('/api/auth/login')[0]!.at - world.refreshes[0]!.at, 2000, 'how much later')
  },
  'a sign-in that fails: the refresh that it has cut off is asked for again at once, in time': async () => {
    const world = new World()
    const client = await world.signedInTab()
    let first = true
    world.fate = ({ path }) => {
      if (path !== REFRESH || !first) return undefined
      first = false
      return { after: 5000 }
    }
    const refreshed = client.refresh()
    await settle()
    const start = world.clock.mono
    await rejection(world.clock.until(client.signIn({ email: 'ada@example.test', password: 'wrong' })))
    equal((await world.clock.until(refreshed)).status, 'signed_in', 'the state')
    check(world.refreshes.length === 2 && world.refreshes[1]!.at - start < 1000, 'it was asked for again at once')
    await aliveLater(world, client)
  },
  'a refresh waits for a sign-in, and is not needed after it': async () => {
    const world = new World()
    const client = await world.signedInTab()
    world.fate = ({ path }) => (path === '/api/auth/login' ? { after: 3000 } : undefined)
    const signedIn = client.signIn(RIGHT)
    await settle()
    const refreshed = client.refresh()
    await world.clock.until(signedIn)
    equal((await world.clock.until(refreshed)).status, 'signed_in', 'the state')
    equal(world.refreshes.length, 0, 'renewals')
  },
  'a sign-out aborts a refresh, and is the last word': async () => {
    for (const profile of ['cookie', 'hybrid'] as const) {
      const world = new World({ profile })
      const client = await world.signedInTab()
      world.fate = ({ path, method }) => (path === REFRESH && method === 'POST' ? { after: 5000 } : undefined)
      const refreshed = client.refresh()
      await settle()
      await world.clock.until(client.signOut())
      await world.clock.advance(10_000)
      equal(await world.clock.until(refreshed), { status: 'signed_out', reason: 'signed_out' }, 'the state')
      equal([world.refreshCookie, world.accessUntil], [undefined, 0], 'the jar')
    }
  },
  'a sign-in or sign-out right after a call that has begun to renew is not cut off by that renewal': async () => {
    for (const change of ['in', 'out'] as const) {
      const world = new World()
      const client = await world.signedInTab()
      await world.clock.advance(301_000)
      const call = client.fetch(THINGS)
      await world.clock.until<unknown>(change === 'in' ? client.signIn(RIGHT) : client.signOut())
      await world.clock.until(call)
      equal(client.state.status, change === 'in' ? 'signed_in' : 'signed_out', change)
      equal(world.requests(change === 'in' ? '/api/auth/login' : '/api/auth/logout').length, 1, `${change}: requests`)
    }
  },
  'a sign-in in the pause between two tries: calls wait for it, and are not told of the try before it': async () => {
    const world = new World()
    const client = await world.signedInTab()
    await world.clock.advance(301_000)
    world.fate = ({ path }) => (path === REFRESH ? 'unsent' : path === '/api/auth/login' ? { after: 2000 } : undefined)
    const call = client.fetch(THINGS)
    await settle()
    equal(world.requests(REFRESH).length, 1, 'tries before')
    const signedIn = client.signIn(RIGHT)
    equal((await world.clock.until(call)).status, 200, 'the call')
    await world.clock.until(signedIn)
    equal([client.state.status, world.requests(REFRESH).length], ['signed_in', 1], 'the state, and tries')
  },
  'hybrid: a fresh proof does not make doubtful again whether cookies are kept': async () => {
    const world = new World({ profile: 'hybrid' })
    const client = await world.signedInTab()
    await world.clock.until(client.refresh())
    await world.clock.until(prove(client, 'totp', '123456'))
    world.refreshCookie = undefined
    equal(await world.clock.until(client.refresh()), { status: 'signed_out' }, 'the state')
  },
  'a sign-out that is confirmed with a receipt is one': async () => {
    const world = new World()
    const client = await world.signedInTab()
    world.fate = () => json(200, { seq: 7, effective: true, ms: 3, confirmed: 1, of: 1 })
    await world.clock.until(client.signOut())
    equal(client.state.status, 'signed_out', 'the state')
  },
  'a sign-out that is not certain is none': async () => {
    for (const fate of ['unsent' as const, problem(503, 'overloaded'), html(200), json(200, {}), json(200, { ok: true })]) {
      const world = new World()
      const client = await world.signedInTab()
      world.fate = () => fate
      await rejection(world.clock.until(client.signOut()))
      equal([client.state.status, world.messages.some(({ type }) => type === 'signed-out')], ['signed_in', false], 'the state')
    }
  },
  'signing out everywhere renews first: without a live token it would end nothing': async () => {
    const world = new World()
    const client = await world.signedInTab()
    world.accessUntil = 0
    await world.clock.until(client.signOut({ everywhere: true }))
    equal(world.sent.map(({ path }) => path), [REFRESH, '/api/auth/logout-all'], 'the requests')
    equal(client.state, { status: 'signed_out', reason: 'signed_out' }, 'the state')
    const over = await world.signedInTab()
    world.ended = 'expired'
    equal((await rejection(world.clock.until(over.signOut({ everywhere: true })))).code, 'session_revoked', 'where the session is over')
    equal(world.requests('/api/auth/logout-all').length, 0, 'nothing is claimed')
  },
}

export const tabs: Scenarios = {
  'signing out in one tab signs the others out at once, and their tokens are dropped': async () => {
    for (const profile of ['cookie', 'hybrid', 'opaque'] as const) {
      const world = new World({ profile, apis: ['https://api.example.test'] })
      const client = await world.signedInTab()
      const other = world.tab()
      await world.clock.until(other.session())
      equal(other.state.status, 'signed_in', 'before')
      await world.clock.until(client.signOut())
      equal(other.state, { status: 'signed_out', reason: 'signed_out' }, 'the other')
      world.sent.length = 0
      await world.clock.until(other.fetch('https://api.example.test/things'))
      equal(world.sent.map(({ headers }) => headers.get('authorization')), [null], 'what it sends')
    }
  },
  'a sign-in in one tab is read by the others, and cuts off their refresh': async () => {
    const world = new World()
    const other = await world.signedInTab()
    let first = true
    world.fate = ({ path }) => {
      if (path !== REFRESH || !first) return undefined
      first = false
      return { after: 5000 }
    }
    const refreshed = other.refresh()
    await settle()
    world.user = 'grace'
    await world.clock.until(world.tab().signIn(RIGHT))
    await world.clock.advance(10_000)
    await world.clock.until(refreshed)
    equal(other.state.status === 'signed_in' && other.state.user.id, 'grace', 'who is there')
    await aliveLater(world, other)
  },
  'a sign-out in another tab while a renewal comes to nothing is the last word': async () => {
    for (const when of ['in the pause between two tries', 'while it is asked why nothing came']) {
      const world = new World()
      const client = await world.signedInTab()
      const other = world.tab()
      await world.clock.advance(301_000)
      world.fate = ({ path, method }): Fate => {
        if (path === REFRESH && method === 'POST') return 'unsent'
        return path.endsWith('jwks.json') ? (when.includes('why') ? { after: 2000 } : 'unsent') : undefined
      }
      const refreshed = client.refresh()
      await settle()
      await other.signOut()
      world.sent.length = 0
      equal(await world.clock.until(refreshed), { status: 'signed_out', reason: 'signed_out' }, when)
      await world.clock.advance(10_000)
      equal([client.state.status, world.refreshes.length], ['signed_out', 0], `${when}: later`)
    }
  },
  'hybrid: a call that is refused while another tab has just signed in waits for the new token': async () => {
    const world = new World({ profile: 'hybrid' })
    const client = await world.signedInTab()
    const other = world.tab()
    world.ended = 'ended_by_admin'
    let calls = 0
    world.fate = ({ path }) => (path === '/api/things' && calls++ === 0 ? { after: 2000 } : undefined)
    const call = client.fetch(THINGS)
    await settle()
    await other.signIn(RIGHT)
    const { fate } = world
    world.fate = (sent) => (sent.path === REFRESH ? { after: 5000 } : fate(sent))
    equal((await world.clock.until(call)).status, 200, 'the answer')
    equal(world.requests('/api/things').map(({ headers }) => headers.has('authorization')), [true, true], 'tokens')
  },
  'a client that is closed tells nobody, asks nothing by itself, and nothing of it fails': async () => {
    const world = new World()
    const client = await world.signedInTab()
    const other = world.tab()
    await world.clock.until(other.session())
    client.subscribe(() => undefined)
    client.close()
    client.close()
    world.messages.length = 0
    await world.clock.advance(301_000)
    equal((await world.clock.until(client.session())).status, 'signed_in', 'a question')
    equal((await world.clock.until(client.signIn(RIGHT))).status, 'signed_in', 'a sign-in')
    await world.clock.advance(301_000)
    world.fate = () => 'unsent'
    equal((await world.clock.until(client.session())).status, 'unknown', 'without a network')
    world.sent.length = 0
    await world.clock.advance(600_000)
    equal(world.sent.length, 0, 'requests by itself')
    world.fate = () => undefined
    await world.clock.until(client.signOut())
    equal([client.state.status, other.state.status], ['signed_out', 'signed_in'], 'a sign-out, and the other tab')
    equal(world.messages.length, 0, 'messages')
  },
  'what one tab has renewed, the others do not renew as well': async () => {
    const world = new World()
    const client = await world.signedInTab()
    const others = [world.tab(), world.tab()]
    for (const other of others) await world.clock.until(other.refresh())
    await world.clock.advance(280_000)
    world.sent.length = 0
    for (const tab of [client, ...others]) await world.clock.until(tab.fetch(THINGS))
    equal(world.refreshes.length, 1, 'renewals of three tabs')
  },
  'hybrid: each tab has a token of its own, and none goes over the channel': async () => {
    const world = new World({ profile: 'hybrid' })
    const client = await world.signedInTab()
    const other = world.tab()
    await world.clock.until(other.session())
    await world.clock.advance(280_000)
    world.sent.length = 0
    for (const tab of [client, other]) await world.clock.until(tab.fetch(THINGS))
    equal(world.refreshes.length, 2, 'renewals')
    equal(world.requests('/api/things').map(({ headers }) => headers.has('authorization')), [true, true], 'tokens')
    await world.clock.until(client.signOut())
    check(world.messages.length >= 4 && !JSON.stringify(world.messages).includes('secret'), JSON.stringify(world.messages))
    equal([...new Set(world.messages.flatMap((message) => Object.keys(message)))].sort(), ['expires_in', 'type'], 'what is told')
  },
  'two tabs race, and the authority answers both': async () => {
    const world = new World()
    const pair = [await world.signedInTab(), world.tab()]
    await world.clock.until(pair[1]!.session())
    await world.clock.advance(301_000)
    world.fate = ({ path }) => (path === REFRESH ? { after: 1000 } : undefined)
    const states = await world.clock.until(Promise.all(pair.map((tab) => tab.refresh())))
    equal(states.map(({ status }) => status), ['signed_in', 'signed_in'], 'the states')
    await aliveLater(world, pair[0]!)
  },
  'without BroadcastChannel: each tab finds out by its next request': async () => {
    const world = new World({ channels: false })
    const client = await world.signedInTab()
    const other = world.tab()
    await world.clock.until(other.session())
    await world.clock.until(client.signOut())
    equal(other.state.status, 'signed_in', 'it cannot know')
    world.fate = (sent) => (sent.path === '/api/things' ? world.refusal(sent) : undefined)
    equal((await world.clock.until(other.fetch(THINGS))).status, 401, 'a call')
    equal(other.state.status, 'signed_out', 'it knows')
    equal(world.messages.length, 0, 'messages')
  },
  'foolish messages are no news': async () => {
    const world = new World()
    const client = await world.signedInTab()
    const stranger = world.tab()
    for (const data of [null, 'signed-out', { type: 7 }, {}, { type: 'refreshed', expires_in: 'x' }]) {
      const channel = { onmessage: null as null | ((event: MessageEvent) => void), postMessage() {}, close() {} }
      createClient({ authority: AUTHORITY }, { fetch: world.fetch, clock: world.clock, channel })
      channel.onmessage!(new MessageEvent('message', { data }))
    }
    equal([client.state.status, world.sent.length], ['signed_in', 0], 'nothing happens')
    stranger.close()
  },
}

export const sending: Scenarios = {
  'to strangers it is fetch and nothing else': async () => {
    for (const profile of ['cookie', 'hybrid', 'opaque'] as const) {
      const world = new World({ profile, apis: ['https://api.example.test'] })
      const client = await world.signedInTab()
      await world.clock.advance(301_000)
      world.sent.length = 0
      for (const stranger of ['https://evil.test/', 'https://api.example.test.evil.test/', 'http://api.example.test/', 'https://api.example.test:8443/']) {
        await world.clock.until(client.fetch(stranger, { headers: { accept: 'text/plain' } }))
      }
      equal(world.sent.map(({ headers }) => [...headers.keys()]), [['accept'], ['accept'], ['accept'], ['accept']], 'what they see')
      equal(world.sent.map(({ credentials }) => credentials), Array(4).fill('same-origin'), 'cookies')
    }
  },
  'hybrid: the token goes to the authority and the listed APIs': async () => {
    const world = new World({ profile: 'hybrid', apis: ['https://api.example.test/'] })
    const client = await world.signedInTab()
    world.fate = () => json(200, {})
    await world.clock.until(client.fetch('https://api.example.test/things', { headers: { 'X-Own': 'yes' } }))
    await world.clock.until(client.fetch(new Request(THINGS, { method: 'PUT', body: 'x' })))
    await world.clock.until(client.fetch(THINGS, { headers: { Authorization: 'Basic x' }, credentials: 'omit' }))
    equal(world.sent.map(({ headers }) => headers.get('authorization')?.slice(0, 14)), ['Bearer secret-', 'Bearer secret-', 'Basic x'], 'the tokens')
    equal(world.sent.map(({ headers }) => headers.get('x-requested-with')), Array(3).fill('counterfoil'), 'the header')
    equal(world.sent.map(({ credentials }) => credentials), ['same-origin', 'include', 'omit'], 'cookies')
    equal(world.sent[0]!.headers.get('x-own'), 'yes', 'headers of the call')
  },
  'hybrid: to the page\'s own host goes no token, where that is neither the authority nor listed': async () => {
    const had = globalThis.location as Location | undefined
    if (!had) Object.assign(globalThis, { location: new URL('https://page.example.test/') })
    try {
      const world = new World({ profile: 'hybrid' })
      const client = await world.signedInTab()
      await world.clock.until(client.fetch(`${location.origin}/things`))
      const [{ headers }] = world.sent as [typeof world.sent[0]]
      equal([headers.has('authorization'), headers.has('x-requested-with')], [false, true], 'what it sees')
    } finally {
      if (!had) Reflect.deleteProperty(globalThis, 'location')
    }
  },
  'cookie: there is no token to send': async () => {
    const world = new World({ apis: ['https://api.example.test'] })
    const client = await world.signedInTab()
    world.fate = ({ path }) => (path === REFRESH ? json(200, { expires_in: 300, access_token: 'secret-of-a-server-that-errs' }) : undefined)
    await world.clock.until(client.refresh())
    await world.clock.until(client.fetch(THINGS))
    await world.clock.until(client.fetch('https://api.example.test/things'))
    equal(world.sent.map(({ headers }) => headers.has('authorization')), [false, false, false], 'tokens')
  },
  'bodies of every kind are there for the second time': async () => {
    const form = new FormData()
    form.set('name', 'value')
    const stream = new Blob(['streamed']).stream()
    const bodies: readonly (readonly [BodyInit, string])[] = [
      ['text', 'text'], [new URLSearchParams({ a: 'b' }), 'a=b'], [new Blob(['blob']), 'blob'], [new TextEncoder().encode('bytes'), 'bytes'],
      [form, 'value'], [stream, 'streamed'],
    ]
    for (const [body, part] of bodies) {
      const world = new World()
      const client = await world.signedInTab()
      let refused = 0
      world.fate = ({ path }) => (path === '/api/things' && refused++ === 0 ? problem(401, 'token_expired') : undefined)
      const init = { method: 'POST', body, ...(body === stream && { duplex: 'half' }) }
      equal((await world.clock.until(client.fetch(THINGS, init))).status, 200, part)
      const sent = world.requests('/api/things').map((each) => each.body)
      check(sent.length === 2 && sent.every((each) => each.includes(part)), `${part}: ${JSON.stringify(sent)}`)
    }
  },
  'a call can be aborted, and that signs nobody out': async () => {
    const world = new World()
    const client = await world.signedInTab()
    world.fate = () => 'silent'
    const controller = new AbortController()
    const call = client.fetch(THINGS, { signal: controller.signal })
    await settle()
    controller.abort()
    equal((await rejection(call) as unknown as Error).name, 'AbortError', 'how it ends')
    equal(client.state.status, 'signed_in', 'the state')
  },
  'a call that is aborted while it waits for a renewal ends at once, and the renewal goes on for the others': async () => {
    for (const ahead of [true, false]) {
      const world = new World()
      const client = await world.signedInTab()
      if (ahead) await world.clock.advance(301_000)
      world.accessUntil = 0
      world.fate = ({ path }) => (path === REFRESH ? { after: 5000 } : undefined)
      const controller = new AbortController()
      const call = client.fetch(THINGS, { signal: controller.signal })
      const other = client.fetch(THINGS)
      await settle()
      equal(world.refreshes.length, 1, 'renewals')
      controller.abort()
      equal((await rejection(call) as unknown as Error).name, 'AbortError', 'how it ends')
      equal((await world.clock.until(other)).status, 200, 'the other call')
      equal(world.refreshes.length, 1, 'renewals')
    }
  },
  'a call that changes something and was redirected is not sent again; one that reads is': async () => {
    for (const [method, times] of [['POST', 1], ['DELETE', 1], ['GET', 2]] as const) {
      const world = new World()
      const client = await world.signedInTab()
      world.fate = ({ path }) => (path === '/api/things' ? redirected(problem(401, 'token_expired')) : undefined)
      equal((await world.clock.until(client.fetch(THINGS, { method }))).status, 401, method)
      equal(world.requests('/api/things').length, times, `${method}: requests`)
    }
  },
  'the referrer of a call to an authority elsewhere is the caller\'s': async () => {
    const world = new World()
    const client = await world.signedInTab()
    for (const init of [{}, { referrer: '' }]) await world.clock.until(client.fetch(THINGS, init))
    const seen = world.sent.map(({ referrer, credentials }) => [referrer, credentials])
    equal(seen, [['about:client', 'include'], ['', 'include']], 'what is sent')
  },
  'the token is out of reach': async () => {
    const world = new World({ profile: 'hybrid' })
    const client = await world.signedInTab()
    const found: string[] = []
    const look = (value: unknown, path: string, seen: Set<unknown>): void => {
      if (typeof value === 'string' && value.includes('secret-')) found.push(path)
      if (value === null || (typeof value !== 'object' && typeof value !== 'function') || seen.has(value)) return
      seen.add(value)
      for (const name of Reflect.ownKeys(value)) look(Reflect.get(value as object, name), `${path}.${String(name)}`, seen)
    }
    look(client, 'client', new Set())
    look(globalThis.localStorage, 'localStorage', new Set())
    look(globalThis.sessionStorage, 'sessionStorage', new Set())
    equal(found, [], 'where it can be seen')
    await world.clock.until(client.fetch(THINGS))
    check(world.sent[0]!.headers.get('authorization')?.includes('secret-'), 'and yet it is there')
  },
  'an authority elsewhere that withholds its answers: its origins have to be told': async () => {
    const world = new World()
    const client = world.tab()
    world.fate = ({ path }) => (path === '/.well-known/jwks.json' ? undefined : 'unsent')
    const state = await world.clock.until(client.session())
    equal(state.status === 'unknown' && state.cause, 'cross_site', 'the cause')
  },
}

/** What becomes of what a browser refuses with. With a browser's own passkeys they are tested by `tests/client`. */

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { signInWithPasskey } from '../src/passkeys.js'
import { json, rejection, World } from './world.js'

/** A browser with passkeys, whose question ends as told. */
function withPasskeys(t: TestContext, get: (options: { signal?: AbortSignal }) => Promise<unknown>): void {
  const had = Object.getOwnPropertyDescriptor(globalThis, 'navigator')
  const place = (name: string, value: object): unknown => Object.defineProperty(globalThis, name, { value, configurable: true })
  place('PublicKeyCredential', { parseRequestOptionsFromJSON: (options: object) => options })
  place('navigator', { credentials: { get } })
  t.after(() => {
    Reflect.deleteProperty(globalThis, 'PublicKeyCredential')
    Reflect.deleteProperty(globalThis, 'navigator')
    if (had) Object.defineProperty(globalThis, 'navigator', had)
  })
}

async function codeOf(end: (controller: AbortController) => void): Promise<string> {
  const world = new World()
  world.fate = () => json(200, { publicKey: {} })
  const controller = new AbortController()
  const { signal } = controller
  const asked = signInWithPasskey(world.tab(), { signal })
  setTimeout(() => end(controller), 20)
  return (await rejection(asked)).code
}

test('a question that was ended by its signal is aborted, whatever the reason given', async (t) => {
  withPasskeys(t, ({ signal }) => new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason))))
  for (const reason of [undefined, new Error('the page was left'), 'a word', new DOMException('no', 'NotAllowedError')]) {
    assert.equal(await codeOf((controller) => controller.abort(reason)), 'aborted')
  }
})

test('what the browser refuses with is no abort', async (t) => {
  withPasskeys(t, () => Promise.reject(new DOMException('no', 'NotAllowedError')))
  assert.equal(await codeOf(() => {}), 'passkey_cancelled')
})

/** The hooks where there is no page: what a server renders. In a browser they are tested by `tests/client`. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createElement, type ReactNode } from 'react'
import { renderToString } from 'react-dom/server'
import { createClient } from '../src/index.js'
import { AuthProvider, useAuth, useSession } from '../src/react.js'

function silent(): ReturnType<typeof createClient> {
  return createClient({ authority: 'https://auth.example.test' }, { fetch: () => assert.fail('something was asked') })
}

function Status(): ReactNode {
  const state = useSession()
  const { user } = useAuth()
  return `${state.status} ${state.status === 'unknown' ? state.cause : ''} ${user?.id ?? 'nobody'}`
}

test('a server knows nothing and asks nothing', () => {
  const page = createElement(AuthProvider, { client: silent() }, createElement(Status))
  assert.equal(renderToString(page), 'unknown not_asked nobody')
})

test('without a provider the client is given', () => {
  const client = silent()
  const Given = (): ReactNode => useSession(client).status
  assert.equal(renderToString(createElement(Given)), 'unknown')
})

test('without either, the error says what to do', () => {
  assert.throws(() => renderToString(createElement(Status)), /give a client to the hook, or put the component below an AuthProvider/)
})

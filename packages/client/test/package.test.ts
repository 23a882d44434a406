/** What is published: its size, what it is made of, and that it can be loaded where there is no page. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const PACKAGE = fileURLToPath(new URL('../../', import.meta.url))
const MOST_BYTES = 4096
const { exports } = JSON.parse(readFileSync(`${PACKAGE}package.json`, 'utf8')) as { exports: Record<string, { default: string } | string> }

/** A module and all it needs, as a page would load it; building fails if it needs anything of Node's. */
async function bytes(entry: string): Promise<number> {
  const { outputFiles: [file] } = await build({
    entryPoints: [PACKAGE + entry], bundle: true, minify: true, write: false, format: 'esm', target: 'es2022', platform: 'browser',
    external: ['react'], logLevel: 'silent',
  })
  return gzipSync(file!.contents, { level: 9 }).length
}

test(`the main entry has less than ${MOST_BYTES} bytes, minified and compressed`, async (t) => {
  for (const [name, entry] of Object.entries(exports)) {
    if (typeof entry === 'string') continue
    const size = await bytes(entry.default)
    t.diagnostic(`${name}: ${size} bytes`)
    assert.ok(name !== '.' || size < MOST_BYTES, `${size} bytes`)
  }
})

test('what is packed is what is built, the README, the licences and the manifest', () => {
  const [pack] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: PACKAGE, encoding: 'utf8' })) as
    [{ files: { path: string }[] }]
  const paths = pack.files.map(({ path }) => path)
  const others = paths.filter((path) => !/^dist\/src\/\w+\.(js|d\.ts)$/.test(path)).sort()
  assert.deepEqual(others, ['LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'package.json'])
  for (const entry of Object.values(exports)) {
    if (typeof entry !== 'string') assert.ok(paths.includes(entry.default.slice(2)), entry.default)
  }
})

test('each entry loads where there is no page, and nothing is asked', async (t) => {
  t.mock.method(globalThis, 'fetch', () => assert.fail('something was asked'))
  for (const entry of Object.values(exports)) {
    if (typeof entry !== 'string') await import(PACKAGE + entry.default)
  }
  const { createClient } = await import('../src/index.js')
  const client = createClient()
  assert.deepEqual(client.state, {
    status: 'unknown', cause: 'not_asked', message: 'Not asked yet.', last: undefined, retryAfter: undefined, problem: undefined,
  })
})

/**
 * A guard that is made when it is first needed, and once in a process. Frameworks load modules to build them, once for each bundle, and
 * anew when a file changes; a guard made at the top of such a module would follow the authority during the build, and many times over.
 */

import type { Claims } from './claims.js'
import type { Origins } from './cross_site.js'
import type { Proof } from './dpop.js'
import type { Guard } from './guard.js'
import type { OnEnd } from './watch.js'

const GUARDS: unique symbol = Symbol.for('@counterfoil/guard')

/** Modules of two bundles have nothing in common but this. */
const shared = globalThis as { [GUARDS]?: Map<string, Guard> }

/**
 * What `make` makes: at the first use, and once for every `name` in this process (and in each edge runtime). Options that change in a
 * process that is already running do not count before it is started anew.
 */
export function sharedGuard(make: () => Guard, name: string = ''): Guard {
  return new SharedGuard(make, name)
}

class SharedGuard implements Guard {
  readonly #make: () => Guard
  readonly #name: string

  constructor(make: () => Guard, name: string) {
    this.#make = make
    this.#name = name
  }

  get #guard(): Guard {
    const guards = (shared[GUARDS] ??= new Map())
    let guard = guards.get(this.#name)
    if (guard === undefined) guards.set(this.#name, guard = this.#make())
    return guard
  }

  get origins(): Origins {
    return this.#guard.origins
  }

  get at(): string {
    return this.#guard.at
  }

  verify(token: string): Promise<Claims> {
    return this.#guard.verify(token)
  }

  verifyBound(token: string, proof: Proof): Promise<Claims> {
    return this.#guard.verifyBound(token, proof)
  }

  watch(token: string, onEnd: OnEnd): () => void {
    return this.#guard.watch(token, onEnd)
  }

  ready(): Promise<void> {
    return this.#guard.ready()
  }

  alive(): boolean {
    return this.#guard.alive()
  }

  now(): number {
    return this.#guard.now()
  }

  asking(): Guard {
    return this.#guard.asking()
  }

  close(): void {
    this.#guard.close()
  }
}

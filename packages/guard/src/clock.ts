/** Time as the guard uses it: handed in, so that a test can turn it. */

/** A reading of two clocks at one moment, in milliseconds. */
export interface Instant {
  /** From an arbitrary start, never stepping. */
  readonly mono: number
  /** Since the epoch, as the machine believes. */
  readonly wall: number
}

/** Where time comes from. */
export interface Clock {
  now(): Instant
  /** Calls back once after so many milliseconds, unless cancelled. Must not keep the process alive. */
  after(milliseconds: number, callback: () => void): () => void
}

/** The longest that `setTimeout` takes; beyond it, it fires at once. */
const LONGEST = 2 ** 31 - 1

/**
 * The machine's clocks. Node's monotonic clock is CLOCK_MONOTONIC, which on Linux stands still while the machine sleeps;
 * Node gives no access to CLOCK_BOOTTIME. So a lease is kept on the wall clock as well, which goes on during sleep but can
 * be set; whichever ends first ends the lease. What remains: a machine that sleeps *and* has its wall clock set back by as
 * much.
 */
export const systemClock: Clock = {
  now: () => ({ mono: performance.now(), wall: Date.now() }),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(0, milliseconds), LONGEST))
    // Elsewhere a timer is a number, and keeps nothing alive.
    if (typeof timer === 'object') timer.unref()
    return () => clearTimeout(timer)
  },
}

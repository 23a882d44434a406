/** Time as the client uses it: handed in, so that a test can turn it. No time of the server's is ever compared with it. */

/** A reading of two clocks at one moment, in milliseconds. */
export interface Instant {
  /** From an arbitrary start, never stepping; it may stand still while the machine sleeps. */
  readonly mono: number
  /** Since the epoch, as the machine believes; it goes on during sleep, and can be set. */
  readonly wall: number
}

/** Where time comes from. */
export interface Clock {
  now(): Instant
  /** Calls back once after so many milliseconds, unless cancelled. */
  after(milliseconds: number, callback: () => void): () => void
}

/** The machine's clocks. */
export const systemClock: Clock = {
  now: () => ({ mono: performance.now(), wall: Date.now() }),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds)
    return () => clearTimeout(timer)
  },
}

/** A time with something added: many tabs and many people have failed at the same moment, and must not come back at one. */
export function spread(milliseconds: number): number {
  return milliseconds * (1 + Math.random() / 2)
}

/** How long ago that was, by whichever clock says more: one stands still during sleep, the other can be set back. */
export function elapsed(since: Instant, now: Instant): number {
  return Math.max(now.mono - since.mono, now.wall - since.wall)
}

/** Waits, or until the signal comes. Never rejects. */
export function pause(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    clock.after(milliseconds, resolve)
    signal.onabort = resolve as () => void
  })
}

/**
 * The end of a guard, told to whatever is under way. Not an `AbortController`: Workers make none before the first request, and a guard is
 * made before it.
 */
export class Closing {
  #over = false
  readonly #waiting = new Set<() => void>()

  get over(): boolean {
    return this.#over
  }

  close(): void {
    this.#over = true
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const tell of waiting) tell()
  }

  /** Calls back at the end, unless it has come already. Returns what takes the call-back away. */
  onClose(tell: () => void): () => void {
    if (!this.#over) this.#waiting.add(tell)
    return () => this.#waiting.delete(tell)
  }
}

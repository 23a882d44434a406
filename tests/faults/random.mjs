// Random numbers that come again with the same seed, so that a run that has failed can be run once more.

export class Random {
  #state;

  constructor(seed) {
    this.#state = (seed ^ 0x9e3779b9) | 0 || 1;
  }

  /** Marsaglia's xorshift32, as a fraction of one. */
  next() {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) / 2 ** 32;
  }

  /** A whole number below `bound`. */
  below(bound) {
    return Math.floor(this.next() * bound);
  }

  between(least, most) {
    return least + this.next() * (most - least);
  }

  chance(of) {
    return this.next() < of;
  }

  /** One of the names, each as often as its weight says. */
  weighed(weights) {
    let left = this.next() * Object.values(weights).reduce((sum, weight) => sum + weight, 0);
    for (const [name, weight] of Object.entries(weights)) {
      left -= weight;
      if (left < 0) return name;
    }
    return Object.keys(weights).at(-1);
  }
}

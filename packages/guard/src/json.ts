/**
 * JSON read strictly: an object whose member names are not unique is refused, at any depth (JWS-4, JWT-4, ATK-13).
 *
 * `JSON.parse` keeps the last of two members with one name and says nothing; two readers that disagree about which of
 * two `sub` members counts are an authentication bypass. It also rounds numbers and takes lone surrogates. So the few
 * hundred bytes of a token are read by hand: numbers keep their spelling, names are compared after unescaping.
 */

/** How deep objects and arrays may nest in what the guard reads. */
export const MAX_DEPTH: number = 8

/** A number as it was spelt; whoever wants a value decides what is allowed. */
export class JsonNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /** Written without fraction and exponent. `-0` is not an integer here, as in the Rust guard. */
  get isInteger(): boolean {
    return INTEGER.test(this.text) && this.text !== '-0'
  }
}

export type Json = null | boolean | string | JsonNumber | Json[] | JsonObject
export type JsonObject = Map<string, Json>

/** The members of an object that either reader has read: the strict one, or `JSON.parse`. `undefined` for anything else. */
export function membersOf(value: unknown): ReadonlyMap<unknown, unknown> | undefined {
  if (value instanceof Map) return value
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return new Map(Object.entries(value))
}

const INTEGER = /^-?[0-9]+$/
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
// Up to the end of the string, an escape, or a control character that may not stand there.
const PLAIN = /[^"\\\u0000-\u001f]*/y
const HEX4 = /[0-9A-Fa-f]{4}/y
const SPACE = /[ \t\n\r]*/y
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t',
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

class NotStrict extends Error {}

/** The one JSON value in `bytes`; `undefined` when it is not strict JSON in UTF-8 (no BOM, ATK-15). */
export function parseStrict(bytes: Uint8Array): Json | undefined {
  try {
    const reader = new Reader(utf8.decode(bytes))
    return reader.document()
  } catch {
    return undefined
  }
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  document(): Json {
    const value = this.#value(0)
    this.#match(SPACE)
    if (this.#at !== this.#text.length) throw new NotStrict()
    return value
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }

  #take(expected: string): void {
    if (!this.#text.startsWith(expected, this.#at)) throw new NotStrict()
    this.#at += expected.length
  }

  /** The next character that is not white space, left where it is. */
  #peek(): string | undefined {
    this.#match(SPACE)
    return this.#text[this.#at]
  }

  #value(depth: number): Json {
    switch (this.#peek()) {
      case '{': return this.#object(depth)
      case '[': return this.#array(depth)
      case '"': return this.#string()
      case 't': this.#take('true'); return true
      case 'f': this.#take('false'); return false
      case 'n': this.#take('null'); return null
      default: return this.#number()
    }
  }

  #object(depth: number): JsonObject {
    if (depth >= MAX_DEPTH) throw new NotStrict()
    this.#take('{')
    const members: JsonObject = new Map()
    if (this.#peek() === '}') {
      this.#take('}')
      return members
    }
    for (;;) {
      if (this.#peek() !== '"') throw new NotStrict()
      const name = this.#string()
      if (members.has(name)) throw new NotStrict()
      if (this.#peek() !== ':') throw new NotStrict()
      this.#take(':')
      members.set(name, this.#value(depth + 1))
      if (this.#peek() === '}') break
      this.#take(',')
    }
    this.#take('}')
    return members
  }

  #array(depth: number): Json[] {
    if (depth >= MAX_DEPTH) throw new NotStrict()
    this.#take('[')
    const items: Json[] = []
    if (this.#peek() === ']') {
      this.#take(']')
      return items
    }
    for (;;) {
      items.push(this.#value(depth + 1))
      if (this.#peek() === ']') break
      this.#take(',')
    }
    this.#take(']')
    return items
  }

  #number(): JsonNumber {
    const text = this.#match(NUMBER)
    // What no double can hold (1e400) is no number anybody means (ATK-22).
    if (text === undefined || !Number.isFinite(Number(text))) throw new NotStrict()
    return new JsonNumber(text)
  }

  #string(): string {
    this.#take('"')
    let value = ''
    for (;;) {
      value += this.#match(PLAIN)
      if (this.#text[this.#at] === '"') break
      value += this.#escape()
    }
    this.#at += 1
    return value
  }

  #escape(): string {
    this.#take('\\')
    const letter = this.#text[this.#at]
    this.#at += 1
    if (letter !== 'u') {
      const plain = letter === undefined ? undefined : ESCAPES[letter]
      if (plain === undefined) throw new NotStrict()
      return plain
    }
    const unit = this.#unit()
    if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit)
    // Surrogates only as a pair, the high one first.
    if (unit > 0xdbff) throw new NotStrict()
    this.#take('\\u')
    const low = this.#unit()
    if (low < 0xdc00 || low > 0xdfff) throw new NotStrict()
    return String.fromCharCode(unit, low)
  }

  #unit(): number {
    const digits = this.#match(HEX4)
    if (digits === undefined) throw new NotStrict()
    return Number.parseInt(digits, 16)
  }
}

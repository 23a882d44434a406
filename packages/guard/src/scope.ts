/** `scope` (RFC 6749 section 3.3): what a token was granted, as tokens with one space between two, none of them twice. */

/** Visible ASCII without quotation mark and backslash. */
const TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/** Whether this may be one of a scope's tokens. */
export function isScopeToken(text: string): boolean {
  return TOKEN.test(text)
}

/** Whether this is a scope. Another space, a tab or a repetition is a second spelling of the same grant (ATK-27). */
export function isScope(text: string): boolean {
  const tokens = text.split(' ')
  return tokens.every(isScopeToken) && new Set(tokens).size === tokens.length
}

/** Whether this scope was granted: a whole token of `scope`, not a part of one (ATK-27). */
export function hasScope(scope: string | undefined, wanted: string): boolean {
  return scope !== undefined && scope.split(' ').includes(wanted)
}

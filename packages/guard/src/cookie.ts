/** The `Cookie` request header, read strictly (RFC 6265bis section 5.7, CK-*). */

/** The access token's cookie, in the `cookie` profile. */
export const ACCESS_COOKIE: string = '__Host-cf_access'

// RFC 6265 cookie-octet: no controls, white space, quote, comma, semicolon or backslash.
const COOKIE_OCTETS = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/
const SPACE_AROUND = /^[\t\n\f\r ]+|[\t\n\f\r ]+$/g

/**
 * Every value that stands in `header` under exactly this name. Two are a fact to deal with, not one to hide: which comes
 * first is the attacker's choice (CK-DUP, ATK-33).
 *
 * What other cookies of the host hold is none of our business and must not hide ours. A nameless cookie whose value looks
 * like `__Host-x=1` arrives as `=__Host-x=1` and has no name here (CK-5.7d). A value with a character that no server sets
 * is skipped, quoted ones included.
 */
export function cookieValues(header: string, name: string): string[] {
  const values: string[] = []
  for (const pair of header.split(';')) {
    const trimmed = pair.replace(SPACE_AROUND, '')
    if (!trimmed.startsWith(name) || trimmed[name.length] !== '=') continue
    const value = trimmed.slice(name.length + 1)
    if (COOKIE_OCTETS.test(value)) values.push(value)
  }
  return values
}

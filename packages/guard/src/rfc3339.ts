/** The one spelling of a time that the claims of a PASETO have here: `2026-11-21T08:00:00Z` (RFC 3339, PAS-5). */

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/

/** Seconds since the epoch; `undefined` for a fraction, another offset, lower case, or a time that no calendar and no clock has. */
export function parseTime(text: string): number | undefined {
  if (!TIME.test(text)) return undefined
  const milliseconds = Date.parse(text)
  // Date takes the 30th of February for the 2nd of March, and 24:00 for the next day; only what reads back the same was a time.
  if (Number.isNaN(milliseconds) || new Date(milliseconds).toISOString() !== text.replace('Z', '.000Z')) return undefined
  return milliseconds / 1000
}

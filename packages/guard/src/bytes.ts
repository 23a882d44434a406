/** Bytes, without Node's `Buffer`. */

/** One after the other. */
export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

/** A stream to its end. Beyond `limit` bytes nothing more is read: `undefined`. */
export async function readWithin(
  stream: ReadableStream<Uint8Array>,
  limit: number,
  onPiece: () => void = () => {},
): Promise<Uint8Array | undefined> {
  const reader = stream.getReader()
  const pieces: Uint8Array[] = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return concat(pieces)
    onPiece()
    length += value.length
    if (length > limit) {
      // Whether it likes to be told or not.
      reader.cancel().catch(() => {})
      return undefined
    }
    pieces.push(value)
  }
}

// zlib streams (RFC 1950, 1951), written by hand: what a library makes of the same bytes differs between its versions.

/** With its check sum, in the plainest way: one block, not compressed. At most 65,535 bytes. */
export function stored(bytes) {
  const length = Buffer.alloc(4)
  length.writeUInt16LE(bytes.length, 0)
  length.writeUInt16LE(bytes.length ^ 0xffff, 2)
  return Buffer.concat([HEADER, Buffer.from([1]), length, bytes, checkSum(bytes)])
}

/** So many zeros in one block of fixed codes: one as it is, the rest as copies of what is before it. */
export function zeros(count) {
  const bits = new Bits()
  let left = count - 1
  bits.code(ZERO)
  for (; left >= 258; left -= 258) bits.code(COPY_258).code(DISTANCE_1)
  for (; left > 0; left -= 1) bits.code(ZERO)
  return Buffer.concat([HEADER, bits.code(END).bytes(), checkSumOfZeros(count)])
}

/** Copies what is not there: 258 bytes before the first. */
export const tooFar = () => Buffer.concat([HEADER, new Bits().code(COPY_258).code(DISTANCE_1).code(END).bytes(), checkSumOfZeros(258)])

/** Wants to be read with what `abc` is known. */
export const withDictionary = (bytes) => Buffer.concat([Buffer.from('78bb024d0127', 'hex'), stored(bytes).subarray(2)])

const HEADER = Buffer.from([0x78, 0x01])
// Codes as RFC 1951 section 3.2.6 has them, the most significant bit first.
const [ZERO, COPY_258, DISTANCE_1, END] = ['00110000', '11000101', '00000', '0000000']

class Bits {
  // The last block, fixed codes.
  #text = '110'

  code(bits) {
    this.#text += bits
    return this
  }

  bytes() {
    const bytes = Buffer.alloc(Math.ceil(this.#text.length / 8))
    for (let at = 0; at < this.#text.length; at += 1) if (this.#text[at] === '1') bytes[at >> 3] |= 1 << (at & 7)
    return bytes
  }
}

function checkSum(bytes) {
  let [a, b] = [1, 0]
  for (const byte of bytes) [a, b] = [(a + byte) % 65521, (b + a + byte) % 65521]
  return Buffer.from([b >> 8, b & 0xff, a >> 8, a & 0xff])
}

function checkSumOfZeros(count) {
  const b = count % 65521
  return Buffer.from([b >> 8, b & 0xff, 0, 1])
}

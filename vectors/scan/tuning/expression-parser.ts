type Token = { kind: 'number'; value: number } | { kind: 'operator'; value: string }

export class Parser {
  private index = 0

  constructor(private readonly tokens: Token[]) {}

  sum(): number {
    let total = this.factor()
    while (this.peek()?.value === '+') {
      this.index += 1
      total += this.factor()
    }
    return total
  }

  private factor(): number {
    const token = this.tokens[this.index++]
    if (token?.kind !== 'number') throw new SyntaxError('a number is expected')
    return token.value
  }

  private peek(): Token | undefined {
    return this.tokens[this.index]
  }
}

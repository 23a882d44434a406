type ColorToken = { name: string; value: string; group: 'surface' | 'text' | 'border' }

/** The palette editor: a colour token is a name for a colour. */
export class ColorTokens {
  private readonly tokens = new Map<string, ColorToken>()

  set(token: ColorToken): void {
    this.tokens.set(token.name, token)
    localStorage.setItem('palette.colorTokens', JSON.stringify([...this.tokens.values()]))
  }

  css(): string {
    return [...this.tokens.values()].map(({ name, value }) => `--${name}: ${value};`).join('\n')
  }
}

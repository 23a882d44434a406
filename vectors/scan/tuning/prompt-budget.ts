import { encode } from 'gpt-tokenizer'

const MAX_TOKENS = 4096

export function countTokens(text: string): number {
  return encode(text).length
}

export function rememberBudget(text: string) {
  const tokens = countTokens(text)
  localStorage.setItem('prompt.tokens', String(tokens))
  localStorage.setItem('prompt.maxTokens', String(MAX_TOKENS))
  return { tokens, left: MAX_TOKENS - tokens }
}

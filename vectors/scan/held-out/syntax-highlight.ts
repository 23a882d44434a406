import { createHighlighter } from 'shiki'

const highlighter = await createHighlighter({ themes: ['nord'], langs: ['ts', 'rust'] })

export function lines(code: string, lang: 'ts' | 'rust') {
  const { tokens } = highlighter.codeToTokens(code, { lang, theme: 'nord' })
  return tokens.map((line) => line.map((token) => ({ text: token.content, color: token.color })))
}

export function rememberLanguage(lang: string): void {
  localStorage.setItem('editor.lang', lang)
}

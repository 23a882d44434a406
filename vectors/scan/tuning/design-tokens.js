import tokens from './tokens.json';

const DESIGN_TOKENS = 'design-tokens';

/** Lets designers try other colours without a build. */
export function applyDesignTokens(overrides = {}) {
  const designTokens = { ...tokens, ...overrides };
  for (const [name, value] of Object.entries(designTokens)) {
    document.documentElement.style.setProperty(`--${name}`, value);
  }
  localStorage.setItem(DESIGN_TOKENS, JSON.stringify(designTokens));
}

export function resetDesignTokens() {
  localStorage.removeItem(DESIGN_TOKENS);
  applyDesignTokens();
}

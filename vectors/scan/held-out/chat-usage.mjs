const PRICE_PER_MILLION = { input: 3, output: 15 };

export function addUsage({ inputTokens, outputTokens }) {
  const usage = JSON.parse(localStorage.getItem('usage') ?? '{"inputTokens":0,"outputTokens":0}');
  usage.inputTokens += inputTokens;
  usage.outputTokens += outputTokens;
  localStorage.setItem('usage', JSON.stringify(usage));
  localStorage.setItem('totalTokens', String(usage.inputTokens + usage.outputTokens));
  return usage;
}

export function cost(usage) {
  return (usage.inputTokens * PRICE_PER_MILLION.input + usage.outputTokens * PRICE_PER_MILLION.output) / 1e6;
}

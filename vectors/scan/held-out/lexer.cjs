const RULES = [
  ['space', /^\s+/],
  ['name', /^[a-z_]\w*/i],
  ['number', /^\d+/],
  ['symbol', /^[{}();,]/],
];

function* lex(source) {
  let rest = source;
  while (rest !== '') {
    const found = RULES.map(([kind, rule]) => [kind, rule.exec(rest)]).find(([, match]) => match);
    if (!found) throw new SyntaxError(`not understood: ${rest.slice(0, 10)}`);
    const [kind, [text]] = found;
    rest = rest.slice(text.length);
    if (kind !== 'space') yield { token: kind, text };
  }
}

module.exports = { lex };

// What was seen in a terminal, as an SVG that reads well in light and dark.

const LINE = 20;
const CHARACTER = 8.45;
const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

function kind(line) {
  if (line.startsWith("$")) return "typed";
  if (/^(#| +(why|fix): | {7})/.test(line)) return "said";
  return / (401|303)( |$)|^\S+:\d+:\d+ +error /.test(line) ? "refused" : "plain";
}

/** The lines as a picture; `title` says what it shows to whoever cannot see it. */
export function draw(lines, title) {
  const width = Math.max(...lines.map((line) => line.length)) * CHARACTER + 48;
  const height = lines.length * LINE + 36;
  const text = lines.map((line, at) =>
    `<text x="24" y="${at * LINE + 34}" class="${kind(line)}" xml:space="preserve">${escape(line)}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${Math.ceil(width)}" height="${height}" role="img">
<title>${escape(title)}</title>
<style>text{font:14px ui-monospace,"DejaVu Sans Mono",monospace;fill:#d7dde5}.typed{fill:#fff;font-weight:bold}.said{fill:#8b97a6}.refused{fill:#ff9c8f}</style>
<rect width="100%" height="100%" rx="8" fill="#161b22"/>
${text.join("\n")}
</svg>
`;
}

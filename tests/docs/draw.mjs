// Who says what to whom, from the top to the bottom, as an SVG: reads well in light and dark, and on a telephone.

const WIDTH = 360;
const EDGE = 8;
/** At the right, where a story has times. */
const TIMES = 50;
/** Wider than most fonts are at 11.5 px: what fits by this fits. */
const CHARACTER = 6.3;
const LINE = 15;
const GAP = 9;

const STYLE = `text{font:11.5px system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;fill:#1f2328}
.head{font-weight:600}.said,.ms{fill:#59636e}.good{fill:#116329}.bad{fill:#b3261e}
.paper{fill:#fff}.box{fill:#f3f5f7;stroke:#d1d9e0}.pass{stroke:#8c959f;stroke-dasharray:2 4}
.lane{stroke:#d1d9e0}.way{stroke:#59636e;fill:none}.tip{fill:#59636e}
.halo{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.said,.ms{fill:#9da7b1}.good{fill:#56d364}.bad{fill:#ff9c8f}
.paper{fill:#0d1117}.box{fill:#1c232c;stroke:#3d444d}.pass{stroke:#656d76}.lane{stroke:#3d444d}.way{stroke:#9da7b1}
.tip{fill:#9da7b1}.halo{stroke:#0d1117}}`;

const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const widthOf = (text) => text.length * CHARACTER;

/** The text in lines that are no wider than `width`. */
function wrapped(text, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (lines.at(-1) && widthOf(longer) > width) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

/** As near to `x` as the edges of a picture so wide let it be. */
const within = (x, width, room) => Math.min(Math.max(x, EDGE + width / 2), room - EDGE - width / 2);

function words(lines, x, y, kind) {
  return lines.map((line, at) =>
    `<text x="${x.toFixed(1)}" y="${y + at * LINE}" text-anchor="middle" class="${kind}">${escape(line)}</text>`).join("\n");
}

/** What took a time says it at the right; a test that compares pictures leaves it out. */
const time = (ms, y) => ms === undefined ? "" : `\n<text x="${WIDTH - EDGE}" y="${y}" text-anchor="end" class="ms">${ms.toFixed(1)} ms</text>`;

/** Each kind of step: how it looks at height `y`, in so much room, and how high it is. */
const steps = {
  message({ from, to, text, tone = "", ms }, y, { room, laneOf }) {
    const [start, end] = [laneOf(from), laneOf(to)];
    const lines = wrapped(text, room - 2 * EDGE);
    const x = within((start + end) / 2, Math.max(...lines.map(widthOf)), room);
    const at = y + lines.length * LINE + 1;
    const back = end > start ? -7 : 7;
    return {
      height: lines.length * LINE + 5,
      drawn: `${words(lines, x, y + LINE - 4, `halo ${tone}`)}
<path class="way" d="M${start} ${at}H${end}"/><path class="tip" d="M${end} ${at}l${back} -3.5v7z"/>${time(ms, at + 4)}`,
    };
  },

  note({ over, text, tone = "", ms }, y, { room, laneOf }) {
    const lines = wrapped(text, room - 4 * EDGE);
    const width = Math.max(...lines.map(widthOf)) + 14;
    const lanes = over.map(laneOf);
    const x = within((Math.min(...lanes) + Math.max(...lanes)) / 2, width, room);
    const height = lines.length * LINE + 7;
    return {
      height,
      drawn: `<rect class="box" x="${(x - width / 2).toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${height}" rx="4"/>
${words(lines, x, y + LINE, tone)}${time(ms, y + LINE)}`,
    };
  },

  pass({ text }, y, { room }) {
    const beside = (room - widthOf(text)) / 2 - 2;
    return {
      height: LINE + 6,
      drawn: `<path class="pass" d="M${EDGE} ${y + 9}H${beside.toFixed(1)}M${(room - beside).toFixed(1)} ${y + 9}H${room - EDGE}"/>
${words([text], room / 2, y + 13, "said halo")}`,
    };
  },
};

/** A step in words, for who does not see the picture. */
function told(step) {
  if (step.kind === "message") return `${step.from} to ${step.to}: ${step.text}.`;
  if (step.kind === "note") return `${step.over.join(" and ")}: ${step.text}.`;
  return `${step.text}.`;
}

/** The story as an SVG. */
export function draw({ title, actors, steps: happened }) {
  const room = happened.some(({ ms }) => ms !== undefined) ? WIDTH - TIMES : WIDTH;
  const laneOf = (actor) => {
    const place = actors.indexOf(actor);
    if (place < 0) throw new Error(`${actor} is not among the actors ${actors.join(", ")}`);
    return Math.round(room * (2 * place + 1) / (2 * actors.length));
  };
  const drawn = [];
  let y = 40;
  for (const step of happened) {
    const { height, drawn: one } = steps[step.kind](step, y, { room, laneOf });
    drawn.push(one);
    y += height + GAP;
  }
  const lanes = actors.map((actor) => `<path class="lane" d="M${laneOf(actor)} 30V${y}"/>`);
  const heads = actors.map((actor) => words([actor], laneOf(actor), 20, "head"));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="480" viewBox="0 0 ${WIDTH} ${y + 4}" role="img" aria-labelledby="title what">
<title id="title">${escape(title)}</title>
<desc id="what">${escape(happened.map(told).join(" "))}</desc>
<style>${STYLE}</style>
<rect class="paper" width="100%" height="100%" rx="6"/>
${[...lanes, ...heads, ...drawn].join("\n")}
</svg>
`;
}

/** The same picture without the times, which differ from run to run. */
export const withoutTimes = (svg) => svg.replaceAll(/(class="ms">)[^<]*/g, "$1");

// What has been going on, as charts, each with its numbers in a table for those who do not see it.

const version = new URL(import.meta.url).search;
const { inWords, locale } = await import(`./words.js${version}`);
const { el, svg, table } = await import(`./draw.js${version}`);

const CHARTS = [
  {
    title: "admin.activity.sign_ins", note: "admin.activity.sign_ins_note",
    series: [["signed_in", "admin.series.signed_in"], ["sign_in_failed", "admin.series.sign_in_failed"]], tones: ["good", "bad"],
  },
  {
    title: "admin.activity.refused", note: "admin.activity.refused_note",
    series: [
      ["wrong_code", "admin.series.wrong_code"], ["copy_refused", "admin.series.copy_refused"],
      ["risk_step_up", "admin.series.risk_step_up"], ["risk_denied", "admin.series.risk_denied"],
    ],
    tones: ["soft", "bad", "warm", "dark"],
  },
  {
    title: "admin.activity.lag", note: "admin.activity.lag_note",
    series: [
      ["in_force_10ms", "admin.series.in_force_ten_ms"], ["in_force_100ms", "admin.series.in_force_hundred_ms"],
      ["in_force_1s", "admin.series.in_force_one_s"], ["in_force_10s", "admin.series.in_force_ten_s"],
      ["in_force_longer", "admin.series.in_force_longer"],
    ],
    tones: ["good", "pale", "soft", "warm", "bad"],
  },
  { title: "admin.activity.accounts", note: "", series: [["registered", "admin.series.registered"]], tones: ["good"] },
];
const PERIODS = [["day", "admin.activity.day"], ["month", "admin.activity.month"]];

/** The charts of a day or of a month; the address says which. */
export async function showActivity({ ask }) {
  const period = new URLSearchParams(location.search).get("period") === "month" ? "month" : "day";
  const known = await ask("GET", `/api/admin/activity?period=${period}`);
  if (known === undefined) return undefined;
  const switches = el("p", { class: "switch" }, ...PERIODS.map(([name, words]) =>
    el("a", { href: `/admin/activity?period=${name}`, "aria-current": name === period ? "true" : undefined, text: inWords(words) })));
  const begin = Date.parse(known.from);
  const steps = known.series.signed_in.map((_, step) => new Date(begin + step * known.step_seconds * 1000));
  const format = new Intl.DateTimeFormat(locale, period === "day"
    ? { hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "short", timeZone: "UTC" });
  const labels = steps.map((step) => format.format(step));
  return [switches, el("div", { class: "charts" }, ...CHARTS.map((chart) => drawn(chart, labels, known.series)))];
}

function drawn({ title: key, note, series, tones }, labels, counts) {
  const title = inWords(key);
  const rows = series.map(([name, words], index) => ({
    words: inWords(words), tone: tones[index], counts: counts[name], sum: counts[name].reduce((sum, count) => sum + count, 0),
  }));
  const figure = el("figure", { class: "chart" });
  const holder = el("div", { class: "plot" });
  // Its words keep their size: it is drawn for the width there is.
  const draw = () => holder.replaceChildren(plot(title, rows, labels, Math.max(280, holder.clientWidth)));
  new ResizeObserver(draw).observe(holder);
  const legend = el("ul", { class: "legend" }, ...rows.map(({ words, tone, sum }) =>
    el("li", {}, el("span", { class: `swatch ${tone}`, "aria-hidden": "true" }), inWords("admin.activity.sum", { series: words, count: sum }))));
  const columns = [[inWords("admin.activity.from"), (step) => labels[step]], ...rows.map((row) => [row.words, (step) => String(row.counts[step])])];
  const numbers = el("details", {}, el("summary", { text: inWords("admin.activity.numbers") }), table(title, columns, labels.map((_, step) => step)));
  figure.append(el("figcaption", {}, el("h2", { text: title }), note ? el("p", { class: "intro", text: inWords(note) }) : ""), holder, legend, numbers);
  return figure;
}

const HEIGHT = 190;
const FOOT = 26;
const HEAD = 14;
const LEFT = 44;

function plot(title, rows, labels, width) {
  const sums = labels.map((_, step) => rows.reduce((sum, { counts }) => sum + counts[step], 0));
  const top = nice(Math.max(...sums, 1));
  const slot = (width - LEFT) / labels.length;
  const room = HEIGHT - FOOT - HEAD;
  const y = (count) => HEAD + room - (count / top) * room;
  const lines = [0, top / 2, top].flatMap((count) => [
    svg("line", { class: "grid", x1: LEFT, x2: width, y1: y(count), y2: y(count) }),
    svg("text", { class: "axis", x: LEFT - 8, y: y(count) + 4, "text-anchor": "end" }, String(count)),
  ]);
  const every = Math.ceil(labels.length / Math.max(2, Math.floor(width / 90)));
  const feet = labels.flatMap((label, step) => (step % every === 0
    ? [svg("text", { class: "axis", x: LEFT + (step + 0.5) * slot, y: HEIGHT - 8, "text-anchor": "middle" }, label)] : []));
  const bars = labels.map((label, step) => {
    let below = 0;
    const parts = rows.filter(({ counts }) => counts[step] > 0).map(({ counts, tone }) => {
      const part = svg("rect", {
        class: tone, x: LEFT + step * slot + slot * 0.15, width: slot * 0.7,
        y: y(below + counts[step]), height: Math.max(1, y(below) - y(below + counts[step])),
      });
      below += counts[step];
      return part;
    });
    const words = rows.filter(({ counts }) => counts[step] > 0).map((row) => inWords("admin.activity.sum", { series: row.words, count: row.counts[step] }));
    return svg("g", {}, svg("title", {}, [label, ...words].join("\n")), ...parts);
  });
  const said = rows.map(({ words, sum }) => inWords("admin.activity.sum", { series: words, count: sum })).join(", ");
  return svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-label": `${title}. ${said}` }, ...lines, ...feet, ...bars);
}

/** The next even number with one digit that counts: an axis one can read. */
function nice(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [2, 4, 6, 8, 10, 20].find((each) => each * power >= most);
  return step * power;
}

// Elements out of data: everything is set as text, so nothing that comes from people can be more than words.

const version = new URL(import.meta.url).search;
const { locale } = await import(`./words.js${version}`);

/** An element with these properties and children; a string is text, `false` and `null` are nothing. */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false || value === null) continue;
    if (name in element && typeof value !== "string") element[name] = value;
    else if (name === "class") element.className = value;
    else if (name === "text") element.textContent = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== false && child !== null && child !== undefined));
  return element;
}

/** The same for a picture of lines; `properties` are attributes. */
export function svg(tag, properties, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(properties)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const AT_ONCE = 100;

/** A table of many rows: the first of them, and a button for more. */
export function longTable(caption, columns, rows, words) {
  if (rows.length <= AT_ONCE) return table(caption, columns, rows);
  const holder = el("div", {});
  const more = el("button", { type: "button", text: words });
  let shown = AT_ONCE;
  const draw = () => {
    holder.replaceChildren(table(caption, columns, rows.slice(0, shown)));
    more.hidden = shown >= rows.length;
  };
  more.addEventListener("click", () => {
    shown += AT_ONCE;
    draw();
  });
  draw();
  return el("div", { class: "long" }, holder, el("div", { class: "actions" }, more));
}

/** A list to choose from: `options` are `[value, words]`. */
export function choice(id, options) {
  return el("select", { id }, ...options.map(([value, words]) => el("option", { value, text: words })));
}

/** A field with its label, and where its error is said. */
export function field(input, label) {
  return el("div", { class: "field" }, el("label", { for: input.id, text: label }), input, el("p", { class: "error", id: `${input.id}-error` }));
}

const exact = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
const day = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });

/** A time, to the second or as a day. */
export function time(value, words = "exact") {
  const date = new Date(value);
  if (!value || Number.isNaN(date.getTime())) return el("span", { text: "–" });
  return el("time", { dateTime: value, title: exact.format(date), text: (words === "day" ? day : exact).format(date) });
}

/**
 * A table that a narrow window shows as cards: each cell knows the head of its column. `columns` are `[head, cell]` with
 * `cell(row)` giving a node or text.
 */
export function table(caption, columns, rows) {
  const head = el("tr", {}, ...columns.map(([name]) => el("th", { scope: "col", text: name })));
  const body = rows.map((row) => el("tr", {}, ...columns.map(([name, cell]) =>
    el("td", { "data-head": name }, cell(row) ?? "–"))));
  return el("table", {}, el("caption", { class: "visually-hidden", text: caption }), el("thead", {}, head), el("tbody", {}, ...body));
}

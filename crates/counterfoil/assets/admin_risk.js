// What was out of the ordinary, what was done about it, and why, in words.

const version = new URL(import.meta.url).search;
const { during } = await import(`./form.js${version}`);
const { el, table, time } = await import(`./draw.js${version}`);
const { hasWords, inNodes, inWords, inWordsOf, locale, networkWords } = await import(`./words.js${version}`);

const figures = new Intl.NumberFormat(locale);

/** The decisions, newest first, and the rules behind them. */
export async function showRisk({ ask }) {
  const given = new URLSearchParams(location.search);
  const wanted = new URLSearchParams([...given].filter(([name, value]) => value && ["user", "sid"].includes(name)));
  const list = el("div", {});
  const more = el("button", { type: "button", text: inWords("admin.more") });
  let decisions = [];
  let known;
  async function next() {
    const query = new URLSearchParams(wanted);
    query.set("limit", "100");
    if (known?.next) query.set("before", known.next);
    const answer = await ask("GET", `/api/admin/risk?${query}`);
    if (answer === undefined) return false;
    known = answer;
    decisions = [...decisions, ...answer.decisions];
    more.hidden = !answer.next;
    list.replaceChildren(decisions.length > 0
      ? table(inWords("admin.risk.heading"), COLUMNS, decisions) : el("p", { text: inWords("admin.risk.none") }));
    return true;
  }
  more.addEventListener("click", () => during(more, next));
  if (!(await next())) return undefined;
  return [
    !known.enabled && el("p", { class: "notice", text: inWords("admin.risk.off") }),
    el("p", { class: "intro", text: inWords("admin.risk.intro") }),
    list, el("div", { class: "actions" }, more),
    el("h2", { text: inWords("admin.risk.rules") }),
    el("p", { class: "intro", text: inWords("admin.risk.rules_note") }),
    table(inWords("admin.risk.rules"), RULES, known.rules),
  ].filter(Boolean);
}

const COLUMNS = [
  [inWords("admin.risk.when"), (one) => time(one.at)],
  [inWords("admin.risk.done"), (one) => done(one)],
  [inWords("admin.risk.why"), (one) => why(one)],
  [inWords("admin.risk.rule"), (one) => rules(one)],
  [inWords("admin.risk.account"), (one) => who(one)],
  [inWords("admin.risk.from"), (one) => from(one)],
];

const RULES = [
  [inWords("admin.risk.name"), (rule) => el("code", { text: rule.name })],
  [inWords("admin.risk.asks_for"), (rule) => asked(rule.action)],
  [inWords("admin.risk.state"), (rule) => inWords(rule.dry_run ? "admin.risk.only_tried" : "admin.risk.in_force")],
];

function done({ moment, application, action, detail }) {
  if (!action) return el("bdi", { text: detail });
  const words = inWordsOf("admin.risk_done", `${moment}_${action}`, action.replaceAll("_", " "));
  const strong = ["step_up", "deny"].includes(action);
  return el("div", {}, el("p", { class: strong ? "bad" : undefined, text: words }),
    el("p", { class: "hint", text: inWords("admin.risk.moment_of", { moment: inWordsOf("admin.risk_moment", moment, moment), application }) }));
}

function why({ score, signals = [] }) {
  if (signals.length === 0) return "–";
  return el("ul", { class: "reasons" }, ...signals.map(({ signal, value, weight }) =>
    el("li", { text: `${found(signal, value)} (${weight})` })),
  el("li", { class: "hint", text: inWords("admin.risk.score", { score }) }));
}

function found(signal, value) {
  const key = `admin.risk_found.${signal}`;
  return hasWords(key) ? inWords(key, { count: value, number: figures.format(value) }) : signal.replaceAll("_", " ");
}

function who({ user, session }) {
  if (!user) return "–";
  return el("div", {}, el("p", {}, el("a", { href: `/admin/users/${user}`, text: user.slice(0, 6) })),
    session && el("p", {}, el("a", { class: "hint", href: `/admin/audit?sid=${session}`, text: inWords("admin.session", { id: session.slice(0, 6) }) })));
}

function from({ place, network }) {
  if (!network) return "–";
  const words = el("span", { class: "whole", text: networkWords(network) });
  return place ? el("div", {}, el("p", {}, el("bdi", { text: place })), el("p", { class: "hint" }, words)) : words;
}

function rules({ action, rule, dry_run: tried }) {
  const parts = [];
  if (rule) {
    parts.push(...(rule.action === action ? [named(rule.name)] : inNodes("admin.risk.asks_instead", {
      rule: named(rule.name), asked: asked(rule.action),
      instead: inWordsOf("admin.risk_instead", action, inWords("admin.risk_instead.weaker")),
    })));
  }
  if (tried) parts.push(rule ? "; " : "", ...inNodes("admin.risk.would_have", { rule: named(tried.name), asked: asked(tried.action) }));
  return parts.length > 0 ? el("div", { class: "words" }, ...parts) : "–";
}

const asked = (action) => inWordsOf("admin.risk_asks", action, action);
const named = (name) => el("code", { class: "whole", text: name });

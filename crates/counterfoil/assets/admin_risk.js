// What was out of the ordinary, what was done about it, and why, in words.

const version = new URL(import.meta.url).search;
const { during } = await import(`./form.js${version}`);
const { el, table, time } = await import(`./draw.js${version}`);

const count = new Intl.NumberFormat("en-GB");
const FOUND = {
  new_device: () => "a device that the account has not been used with",
  new_network: () => "a network that it has not been used from",
  new_country: () => "a country that it has not been used from",
  impossible_travel: (speed) => `nobody travels that fast: ${count.format(speed)} km/h`,
  failures_account: (times) => `${times} failures to sign in to the account within a quarter of an hour`,
  failures_network: (times) => `${times} failures to sign in from the network within a quarter of an hour`,
  failures_fleet: (times) => `${times} failures to sign in anywhere within a quarter of an hour`,
  bad_network: () => "a network on the list of bad ones",
  user_agent_changed: () => "another browser or system than the session was in",
  breached_password: () => "a password that is known from a breach",
  common_password: () => "a password that attackers try first",
  refresh_reuse: () => "a spent refresh token of the account was used within a day",
};
const MOMENTS = { sign_in: "Sign-in", refresh: "Refresh", step_up: "Step-up" };
const DONE = {
  sign_in: { allow: "Let in", notify: "Let in, with a notice", step_up: "Asked for a second factor", deny: "Refused" },
  refresh: { allow: "Went on", notify: "Went on, with a notice", step_up: "Asked for a proof" },
  step_up: { allow: "Accepted", notify: "Accepted, with a notice", step_up: "Asked for a stronger proof", deny: "Refused" },
};
const INSTEAD = { notify: "the account has nothing more to show", step_up: "a refresh is never refused for good" };
const ASKS = { allow: "nothing", notify: "a notice", step_up: "a step-up", deny: "a refusal" };

/** The decisions, newest first, and the rules behind them. */
export async function showRisk({ ask }) {
  const given = new URLSearchParams(location.search);
  const wanted = new URLSearchParams([...given].filter(([name, value]) => value && ["user", "sid"].includes(name)));
  const list = el("div", {});
  const more = el("button", { type: "button", text: "Show more" });
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
      ? table("Risk decisions", COLUMNS, decisions) : el("p", { text: "Nothing out of the ordinary is written down." }));
    return true;
  }
  more.addEventListener("click", () => during(more, next));
  if (!(await next())) return undefined;
  return [
    !known.enabled && el("p", { class: "notice", text: "Nothing is looked at: risk.enabled is false." }),
    el("p", { class: "intro", text: "Only what a rule speaks of stands here. Nobody is signed out by any of it." }),
    list, el("div", { class: "actions" }, more),
    el("h2", { text: "Rules" }),
    el("p", { class: "intro", text: "They stand in the configuration. Of all that apply, the strongest counts." }),
    table("Rules", RULES, known.rules),
  ].filter(Boolean);
}

const COLUMNS = [
  ["When", (one) => time(one.at)],
  ["What was done", (one) => done(one)],
  ["Why", (one) => why(one)],
  ["Rule", (one) => rules(one)],
  ["Account", (one) => who(one)],
  ["From", (one) => from(one)],
];

const RULES = [
  ["Name", (rule) => el("code", { text: rule.name })],
  ["Asks for", (rule) => ASKS[rule.action] ?? rule.action],
  ["State", (rule) => (rule.dry_run ? "only tried" : "in force")],
];

function done({ moment, application, action, detail }) {
  if (!action) return el("bdi", { text: detail });
  const words = DONE[moment]?.[action] ?? action.replaceAll("_", " ");
  const strong = ["step_up", "deny"].includes(action);
  return el("div", {}, el("p", { class: strong ? "bad" : undefined, text: words }),
    el("p", { class: "hint", text: `${MOMENTS[moment] ?? moment}, ${application}` }));
}

function why({ score, signals = [] }) {
  if (signals.length === 0) return "–";
  return el("ul", { class: "reasons" }, ...signals.map(({ signal, value, weight }) =>
    el("li", { text: `${FOUND[signal]?.(value) ?? signal.replaceAll("_", " ")} (${weight})` })),
  el("li", { class: "hint", text: `Score ${score} of 100` }));
}

function who({ user, session }) {
  if (!user) return "–";
  return el("div", {}, el("p", {}, el("a", { href: `/admin/users/${user}`, text: user.slice(0, 6) })),
    session && el("p", {}, el("a", { class: "hint", href: `/admin/audit?sid=${session}`, text: `session ${session.slice(0, 6)}` })));
}

function from({ place, network }) {
  if (!network) return "–";
  const words = el("span", { class: "whole", text: network });
  return place ? el("div", {}, el("p", {}, el("bdi", { text: place })), el("p", { class: "hint" }, words)) : words;
}

function rules({ action, rule, dry_run: tried }) {
  const parts = [];
  if (rule) {
    parts.push(named(rule.name));
    if (rule.action !== action) parts.push(` asks for ${ASKS[rule.action] ?? rule.action}; ${INSTEAD[action] ?? "something weaker was done"}`);
  }
  if (tried) parts.push(rule ? "; " : "", named(tried.name), ` is only tried, and would have meant ${ASKS[tried.action] ?? tried.action}`);
  return parts.length > 0 ? el("div", { class: "words" }, ...parts) : "–";
}

const named = (name) => el("code", { class: "whole", text: name });

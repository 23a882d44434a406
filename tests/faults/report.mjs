// What a run has shown, as a table and in words.

const INVARIANTS = ["S1", "S2", "S3", "D1", "DPoP"];
const SHOWN = 5;

/** A control has failed when what it breaks was not seen. */
export const failed = ({ breaks, problems, violations }) =>
  breaks ? violations[breaks].length === 0 : problems.length > 0 || INVARIANTS.some((name) => violations[name].length > 0);

/** What a scenario that could not be run has shown. */
export function nothing({ name, breaks }, error) {
  const violations = Object.fromEntries(INVARIANTS.map((invariant) => [invariant, []]));
  const numbers = { served: 0, failed: 0, internal: 0, longest: 0 };
  return { name, breaks, violations, outside: [], faults: [], problems: [`it could not be run: ${error.message}`], ...numbers };
}

/** A Markdown table, one row for each scenario. */
export function table(results) {
  const columns = ["scenario", "faults injected", "requests served", "answers 5xx", "longest time without service", ...INVARIANTS,
    "outside S3", "problems"];
  const rows = results.map((result) => [
    result.name,
    result.faults.length,
    result.served,
    `${result.failed}${result.internal ? ` (${result.internal} × 500)` : ""}`,
    `${(result.longest / 1_000).toFixed(1)} s`,
    ...INVARIANTS.map((name) => result.violations[name].length),
    result.outside.length,
    result.problems.length,
  ]);
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
}

/** What went wrong in a scenario, with what the history shows of it. */
export function details({ name, breaks, violations, problems, faults, history }) {
  if (breaks) return "";
  const lines = problems.map((what) => `* ${what}`);
  const told = new Set();
  for (const invariant of INVARIANTS) {
    const found = violations[invariant];
    for (const { what, event } of found.slice(0, SHOWN)) {
      lines.push(`* ${invariant}: ${what}: ${JSON.stringify(event)}`);
      if (event.sid && !told.has(event.sid)) lines.push(...story(history, event.sid));
      told.add(event.sid);
    }
    if (found.length > SHOWN) lines.push(`* ${invariant}: ${found.length - SHOWN} more`);
  }
  if (lines.length === 0) return "";
  return [`## ${name}`, ...faults.map(({ what, at, seen }) => `* at ${at.toFixed(0)}: ${what}: ${seen}`), ...lines].join("\n");
}

/** The last that was asked about a session, and how it was answered. */
function story(history, sid) {
  const last = history.events.filter((event) => event.sid === sid && event.kind !== "verify").slice(-12);
  return last.map((event) => `    ${JSON.stringify(event)}`);
}

// What every page shares: requests, renewal of the session, sign-in and sign-out, and forms.
//
// The access token lives in an HttpOnly cookie this code never sees. Two rules keep a session from
// being lost or brought back by accident:
//   - in one tab, sign-in, sign-out and refresh never run at once (`exclusive`);
//   - only a 401 means "signed out"; a lost network, a 429 or a 5xx never does.

const version = new URL(import.meta.url).search;
const { hasWords, inWords } = await import(`./words.js${version}`);

const REFRESH_PATH = "/api/auth/refresh";
const REFRESH_TIMEOUT_MS = 10_000;
// No retry begins later than this after the first try: an answer that was lost is repeated for half the grace (30 s),
// less what clocks may differ and a request may be under way.
const RETRY_WITHIN_MS = 13_000;
const REQUEST_TIMEOUT_MS = 30_000;
const RECEIPT_TIMEOUT_MS = 8_000;
const RECEIPT_KEY = "cf-receipt";
export const RECEIPT = "receipt=effective";
const RETRY_PAUSES_MS = [300, 1_200, 3_000];
const LONGEST_RETRY_AFTER_S = 3;
const RETURN_WINDOW_MS = 10_000;

// A 401 with one of these codes says that the access token is at fault, which a refresh may cure.
const RENEWABLE = new Set([
  "token_missing", "token_expired", "token_stale", "token_invalid", "session_revoked",
]);

const isReason = (reason) => hasWords(`ended.${reason}`);

/** Why a session is over, in a sentence; "" if that is no reason which is known. */
export const endedWords = (reason) => (isReason(reason) ? inWords(`ended.${reason}`) : "");

/** A request that did not succeed. `status` is 0 when no answer came. */
export class Problem extends Error {
  constructor(status, code, { detail = "", reason = "", retryAfter = null, acrValues = "", options = [], numbers = {} } = {}) {
    super(detail || code);
    Object.assign(this, { status, code, detail, reason, retryAfter, acrValues, options, numbers });
  }

  /** Whether trying again later may help, without anyone changing anything. */
  get temporary() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** Whether the person need not be told: the page is being left, or a newer action took over. */
  get silent() {
    return this.code === "aborted" || this.code === "signed_out";
  }
}

// ---- Requests -------------------------------------------------------------------------------

async function send(method, path, { body, signal, timeout = REQUEST_TIMEOUT_MS } = {}) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-Requested-With"] = "counterfoil";
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const limit = AbortSignal.timeout(timeout);
  try {
    const response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    const text = await response.text();
    const data = parse(text);
    if (!response.ok) throw problemFrom(response, data);
    return data;
  } catch (error) {
    if (error instanceof Problem) throw error;
    if (signal?.aborted) throw new Problem(0, "aborted");
    throw new Problem(0, limit.aborted ? "timeout" : "network");
  }
}

function parse(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

function problemFrom(response, data) {
  return new Problem(response.status, String(data.code ?? "unknown"), {
    detail: String(data.detail ?? data.title ?? ""),
    reason: String(data.reason ?? ""),
    retryAfter: seconds(response.headers.get("Retry-After")),
    acrValues: String(data.acr_values ?? ""),
    options: Array.isArray(data.options) ? data.options.map(String) : [],
    numbers: { count: data.seconds, most: data.most },
  });
}

// Retry-After is a number of seconds or a date.
function seconds(value) {
  if (!value) return null;
  const amount = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(amount) ? Math.max(0, Math.ceil(amount)) : null;
}

/** Sends a request as the signed-in user: one refresh and one more try when the token has run out. */
export async function request(method, path, body) {
  try {
    return await send(method, path, { body });
  } catch (problem) {
    if (problem.status !== 401 || !RENEWABLE.has(problem.code)) throw problem;
  }
  await renew();
  return send(method, path, { body });
}

/** Makes sure of a fresh access token; leaves for the sign-in page when there is no session. */
async function renew() {
  const outcome = await refresh();
  if (outcome.state === "ok") return;
  if (outcome.state === "unavailable" || outcome.state === "prove") throw outcome.problem;
  if (outcome.state === "signed-out") toLogin(outcome.reason);
  throw new Problem(0, outcome.state === "aborted" ? "aborted" : "signed_out");
}

// ---- Sign-in, sign-out, refresh: one at a time ----------------------------------------------

let running = null;

// Aborts what is under way, waits until it has settled, then runs `work`.
function exclusive(kind, work) {
  const before = running;
  before?.controller.abort();
  const controller = new AbortController();
  const done = (async () => {
    await before?.done.catch(() => undefined);
    if (controller.signal.aborted) throw new Problem(0, "aborted");
    return work(controller.signal);
  })();
  const mine = { kind, controller, done };
  running = mine;
  const clear = () => {
    if (running === mine) running = null;
  };
  done.then(clear, clear);
  return done;
}

/**
 * Refreshes the session; callers at the same time share one attempt. Never throws: the answer's
 * `state` is "ok", "signed-out" (with `reason`), "prove" and "unavailable" (with `problem`) or "aborted".
 */
export async function refresh() {
  while (running && running.kind !== "refresh") await running.done.catch(() => undefined);
  const attempt = running?.done ?? exclusive("refresh", refreshWithRetries);
  return attempt.catch(() => ({ state: "aborted" }));
}

async function refreshWithRetries(signal) {
  const started = performance.now();
  let superseded = false;
  let unproven = false;
  let tries = 0;
  for (;;) {
    try {
      await send("POST", REFRESH_PATH, { signal, timeout: REFRESH_TIMEOUT_MS });
      return { state: "ok" };
    } catch (problem) {
      if (signal.aborted) return { state: "aborted" };
      if (problem.code === "proof_required" && !unproven) {
        // The browser's own request for a proof may have failed; it makes another one.
        unproven = true;
        await pause(RETRY_PAUSES_MS[0], signal);
        continue;
      }
      // The session lives, and goes on after a proof: it is used from where it has not been before.
      if (problem.code === "reauthentication_required") return { state: "prove", problem };
      if (problem.status === 401) return { state: "signed-out", reason: endedReason(problem) };
      if (problem.code === "refresh_superseded" && !superseded) {
        superseded = true;
        continue;
      }
      const tooLong = (problem.retryAfter ?? 0) > LONGEST_RETRY_AFTER_S;
      if (!problem.temporary || tooLong || tries === RETRY_PAUSES_MS.length) {
        return { state: "unavailable", problem };
      }
      const rest = Math.max(RETRY_PAUSES_MS[tries], (problem.retryAfter ?? 0) * 1000) * (1 + Math.random() / 4);
      if (performance.now() - started + rest > RETRY_WITHIN_MS) return { state: "unavailable", problem };
      tries += 1;
      await pause(rest, signal);
    }
  }
}

function endedReason(problem) {
  if (problem.code === "proof_required") return "unproven";
  return problem.code === "refresh_reuse" ? "suspected_theft" : problem.reason;
}

function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}

export async function login(credentials) {
  const answer = await exclusive("login", (signal) =>
    send("POST", "/api/auth/login", { body: credentials, signal }));
  if (!answer.next) tell("signed-in");
  return answer;
}

/** A step of a sign-in that sets cookies when it is the last. */
export async function signInStep(path, body) {
  const answer = await exclusive("login", (signal) => send("POST", path, { body, signal }));
  if (!answer.next) tell("signed-in");
  return answer;
}

/** Proves once more who is signed in: the session gets new cookies, and the old ones count no more. */
export async function stepUp(path, body) {
  const attempt = () => exclusive("login", (signal) => send("POST", path, { body, signal }));
  try {
    return await attempt();
  } catch (problem) {
    if (problem.status !== 401 || !RENEWABLE.has(problem.code)) throw problem;
  }
  await renew();
  return attempt();
}

/** Begins something that sets no cookie of a session. */
export function begin(path, body = {}) {
  return send("POST", path, { body });
}

/** Creates an account. Never signs in. */
export function register(account) {
  return send("POST", "/api/auth/register", { body: account });
}

/**
 * Signs out here. The refresh cookie is asked first: it names the session even when the access
 * cookie has run out and is gone.
 */
export async function signOut() {
  await exclusive("logout", async (signal) => {
    await send("DELETE", REFRESH_PATH, { signal });
    await send("POST", "/api/auth/logout", { signal });
  });
  leaveSignedOut();
}

/**
 * Signs out on every device, this one too. Without a live token it would end nothing: renew first. It waits a while for
 * the receipt, which says how many services have confirmed that they refuse; what was asked for is done without it too.
 */
export async function signOutEverywhere() {
  await renew();
  await exclusive("logout", async (signal) => {
    try {
      const receipt = await send("POST", `/api/auth/logout-all?${RECEIPT}`, { signal, timeout: RECEIPT_TIMEOUT_MS });
      remember(RECEIPT_KEY, JSON.stringify(receipt));
    } catch (problem) {
      if (problem.code !== "timeout") throw problem;
      // Repeating it takes the cookies away.
      await send("POST", "/api/auth/logout-all", { signal });
    }
  });
  leaveSignedOut();
}

/** What a receipt says in words; "" without one, and where this server is the only one that could accept anything. */
export function receiptWords({ confirmed, of } = {}) {
  if (!Number.isInteger(confirmed) || !(of > 1)) return "";
  const silent = of > confirmed ? ` ${inWords("receipt.others")}` : "";
  return inWords("receipt.confirmed", { confirmed, of }) + silent;
}

/** The receipt of the sign-out that led to this page, once. */
export function takeReceipt() {
  const kept = recall(RECEIPT_KEY);
  if (kept !== null) remember(RECEIPT_KEY, null);
  return parse(kept);
}

function leaveSignedOut() {
  tell("signed-out");
  toLogin("signed_out");
}

/** Leaves after the account was deleted, which took the cookies away. */
export function leaveDeleted() {
  tell("signed-out");
  toLogin("deleted");
}

// ---- Going back and forth between the sign-in page and the rest ------------------------------

const HOME = "/account";
let leaving = false;

/** Goes to the sign-in page, once, with a known reason to show there. */
export function toLogin(reason) {
  if (leaving) return;
  leaving = true;
  const query = new URLSearchParams({ redirect: location.pathname.startsWith("/admin/") ? location.pathname : HOME });
  if (isReason(reason)) query.set("ended", reason);
  location.replace(`/login?${query}`);
}

/** Goes on to a page of this origin, remembering when, so that a bounce back is noticed. */
export function goOn(redirect) {
  if (leaving) return;
  leaving = true;
  markReturn(redirect, String(Date.now()));
  location.replace(sameOrigin(redirect));
}

function sameOrigin(redirect) {
  try {
    const url = new URL(redirect, location.origin);
    return url.origin === location.origin ? url.href : HOME;
  } catch {
    return HOME;
  }
}

const NEXT = "counterfoil-next";

/** Goes to the sign-in page with what a sign-in that has begun here needs next. */
export function toNextStep(answer) {
  sessionStorage.setItem(NEXT, JSON.stringify(answer));
  location.replace("/login");
}

/** What another page of this tab has left to be gone on with, if anything. */
export function takeNext() {
  try {
    const kept = sessionStorage.getItem(NEXT);
    sessionStorage.removeItem(NEXT);
    return kept && JSON.parse(kept);
  } catch {
    return null; // storage is refused where cookies are
  }
}

/** Whether this tab was sent to `redirect` moments ago, and is here again. */
export function cameStraightBack(redirect) {
  try {
    const at = Number(sessionStorage.getItem(returnKey(redirect)));
    return at > 0 && Math.abs(Date.now() - at) < RETURN_WINDOW_MS;
  } catch {
    return true; // storage is refused where cookies are
  }
}

/** Forgets the time: the page `redirect` was reached, so cookies work. */
export function arrived(redirect) {
  markReturn(redirect, null);
}

function markReturn(redirect, time) {
  remember(returnKey(redirect), time);
}

function remember(key, value) {
  try {
    if (value === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, value);
  } catch {
    // Without storage the sign-in page says that cookies are blocked, and a receipt is not shown.
  }
}

function recall(key) {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

// By path alone: a page that sends people back may do so with another query each time.
function returnKey(redirect) {
  return `counterfoil:${new URL(sameOrigin(redirect), location.origin).pathname}`;
}

const channel = typeof BroadcastChannel === "function" ? new BroadcastChannel("counterfoil") : null;

function tell(type) {
  channel?.postMessage({ type });
}

/** Calls `react` with "signed-in" or "signed-out" when another tab did so. */
export function onOtherTab(react) {
  channel?.addEventListener("message", (event) => react(event.data?.type));
}

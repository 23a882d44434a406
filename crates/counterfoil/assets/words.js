// What the pages say, in the language of the page. `messages.js` is made by the server, from the message file of that language.

const version = new URL(import.meta.url).search;
const { language, messages } = await import(`./messages.js${version}`);

/** For dates and numbers. English ones are written as in Britain. */
export const locale = language === "en" ? "en-GB" : language;

const plural = new Intl.PluralRules(locale);
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
const fromNow = new Intl.RelativeTimeFormat(locale);
const list = new Intl.ListFormat(locale, { type: "unit", style: "short" });
const STEPS = [["day", 86_400], ["hour", 3_600], ["minute", 60]];

/** Whether there is a message of this name: one that is made of a code may be of a newer server, or of a stranger. */
export const hasWords = (key) => Object.hasOwn(messages, key);

function textOf(key, values) {
  const message = hasWords(key) ? messages[key] : key;
  if (typeof message === "string") return message;
  return message[plural.select(Number(values.count))] ?? message.other;
}

// In a sentence from the right, what is filled in is written by itself (first strong isolate): an address stays in one piece.
const whole = document.dir === "rtl" ? (value) => `\u2068${value}\u2069` : String;

/** The message of this name with its placeholders filled in. Where a number decides about the words, that is `count`. */
export function inWords(key, values = {}) {
  return textOf(key, values).replaceAll(/\{([a-z_]+)\}/g, (_, name) => whole(values[name] ?? ""));
}

/** The same, piece by piece, for a sentence with elements in it: its values may be nodes. */
export function inNodes(key, values) {
  return textOf(key, values).split(/\{([a-z_]+)\}/).map((piece, index) => (index % 2 === 0 ? piece : values[piece] ?? ""));
}

/** The message of the name that is made of this code, or else `otherwise`. */
export function inWordsOf(group, code, otherwise) {
  const key = `${group}.${code}`;
  return hasWords(key) ? inWords(key) : otherwise;
}

/** How long ago that was. */
export function ago(date) {
  const past = (date.getTime() - Date.now()) / 1000;
  const step = STEPS.find(([, size]) => Math.abs(past) >= size);
  return step ? relative.format(Math.round(past / step[1]), step[0]) : inWords("page.just_now");
}

/** In how many seconds or minutes. */
export function soon(seconds) {
  if (!seconds) return inWords("page.in_a_moment");
  return seconds < 90 ? fromNow.format(seconds, "second") : fromNow.format(Math.ceil(seconds / 60), "minute");
}

/** One after the other: "a, b, c". */
export const listed = (parts) => list.format(parts);

const nameOf = (words) => words.toLowerCase().replaceAll(" ", "_");

/** A device as the server names it: "Firefox on Linux". */
export function deviceWords(device) {
  if (!device) return inWords("device.unknown_device");
  const [, browser, system] = /^(.+) on (.+)$/.exec(device) ?? [];
  return browser ? inWords("device.pair", { browser, system }) : inWordsOf("device", nameOf(device), device);
}

/** A network as the server names it: a range of addresses, or this machine. */
export const networkWords = (network) => inWordsOf("network", nameOf(network), network);

/** Where something was: its city and country where the server knows them, and the network. */
export function placeWords({ place, network }, unknown) {
  const known = network ? networkWords(network) : unknown;
  return place ? inWords("page.place", { place, network: known }) : known;
}

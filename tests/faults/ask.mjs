// One HTTP request and its answer. An answer that does not come is an answer too: status 0.

import { Agent, request } from "node:http";
import { Secrets } from "../support/secrets.mjs";

/** What has been sent and given: no server may write any of it down. */
export const secrets = new Secrets();

const agent = new Agent({ keepAlive: true, maxSockets: 256 });

/**
 * `to` is a port on loopback or the path of a socket. What cannot be connected to, breaks, or takes longer than `within` milliseconds
 * has status 0, and `code` says which.
 */
export function ask(to, method, path, { headers = {}, json, within = 5_000 } = {}) {
  const place = typeof to === "number" ? { host: "127.0.0.1", port: to, agent } : { socketPath: to, agent: false };
  const body = json === undefined ? undefined : JSON.stringify(json);
  secrets.headers(Object.entries(headers));
  secrets.body(body);
  const said = body === undefined ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
  return new Promise((resolve) => {
    const fail = (code) => resolve({ status: 0, headers: {}, json: {}, code });
    const asking = request({ ...place, method, path, headers: { Host: "localhost", ...said, ...headers } }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (piece) => { text += piece; });
      answer.on("end", () => {
        clearTimeout(timer);
        secrets.headers((answer.headers["set-cookie"] ?? []).map((cookie) => ["set-cookie", cookie]));
        secrets.body(text);
        const told = parse(text);
        resolve({ status: answer.statusCode, headers: answer.headers, json: told, code: told.code, text });
      });
      answer.on("error", (error) => fail(error.code));
    });
    const timer = setTimeout(() => {
      fail("timeout");
      asking.destroy();
    }, within);
    asking.on("error", (error) => {
      clearTimeout(timer);
      fail(error.code ?? "broken");
    });
    asking.end(body);
  });
}

function parse(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

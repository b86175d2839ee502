// A page of another site than the servers it talks to, in a real Chromium that blocks third-party cookies, opens Socket.IO
// sessions with socket.io-client 4.x and then 2.x, and tells what happened to them as one line of JSON.
// Usage: node strangers.mjs '{"chromium": <program>, "profile": <new folder>, "rounds": 3,
//                             "groups": [{"url": ..., "version": 4, "transports": ["polling"], "count": 2}], "home": {...}}'
// At last a page of the same site opens the group `home`, to show that the cookie of its server is one that can be kept.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { chromium } from "playwright-core";

const ARGUMENTS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const BLOCKED = { profile: { block_third_party_cookies: true, cookie_controls_mode: 1 } };
const LIBRARIES = { "/4.js": "socket.io-client/dist/socket.io.min.js", "/2.js": "socket.io-client-2/dist/socket.io.js" };
const PAGE = `<!doctype html><title>stranger</title><link rel="icon" href="data:,">
<script src="/4.js"></script><script>const clients = { 4: io };</script>
<script src="/2.js"></script><script>clients[2] = io;</script>`;
const TIMEOUT_MS = 60_000;

const wish = JSON.parse(process.argv[2]);
const site = createServer(serve).listen(0, "127.0.0.1");
mkdirSync(`${wish.profile}/Default`, { recursive: true });
writeFileSync(`${wish.profile}/Default/Preferences`, JSON.stringify(BLOCKED));
const context = await chromium.launchPersistentContext(wish.profile, { executablePath: wish.chromium, args: ARGUMENTS });
try {
  const seen = [];
  for (const version of [4, 2]) {
    const groups = wish.groups.filter((group) => group.version === version);
    seen.push(...(await visit("localhost", groups)));
  }
  const cookies = await context.cookies();
  await visit("127.0.0.1", [wish.home]);
  console.log(JSON.stringify({ seen, cookies, cookiesOfTheSameSite: await context.cookies() }));
} finally {
  await context.close();
  site.close();
}

function serve(request, response) {
  const library = LIBRARIES[request.url];
  response.setHeader("content-type", library ? "text/javascript" : "text/html");
  response.end(library ? readFileSync(new URL(`../../node_modules/${library}`, import.meta.url)) : PAGE);
}

async function visit(host, groups) {
  const page = await context.newPage();
  page.setDefaultTimeout(TIMEOUT_MS);
  await page.goto(`http://${host}:${site.address().port}/`);
  const seen = await page.evaluate(talk, { groups, rounds: wish.rounds, timeoutMs: TIMEOUT_MS });
  await page.close();
  return seen;
}

// Runs in the page.
async function talk({ groups, rounds, timeoutMs }) {
  const wishes = groups.flatMap((group) => Array.from({ length: group.count }, () => group));
  return Promise.all(wishes.map(session));

  async function session(group) {
    const seen = { group: group.number, sids: [], replies: [], disconnects: [], errors: [] };
    // a header of its own makes the browser ask first, with a preflight; servers of 2.x allow none
    const extraHeaders = group.version === 4 ? { "x-page": "stranger" } : {};
    const how = { transports: group.transports, forceNew: true, reconnection: false, withCredentials: true, extraHeaders };
    const socket = clients[group.version](group.url, how);
    const engine = () => socket.io.engine;
    const isDue = group.transports.includes("websocket");
    socket.on("connect", () => seen.sids.push(engine().id));
    socket.on("message", (reply) => seen.replies.push(reply));
    socket.on("connect_error", (error) => seen.errors.push(`${error.message ?? error}: ${error.description ?? ""}`));
    socket.on("disconnect", (reason) => seen.disconnects.push(reason));
    try {
      await soon("a welcome", () => seen.replies.length > 0);
      await echoes(socket, seen);
      await soon("an upgrade", () => !isDue || engine().transport.name === "websocket");
      await echoes(socket, seen);
    } catch (error) {
      seen.errors.push(error.message);
    }
    const ended = { ended: engine().transport.name, connected: socket.connected };
    socket.off("disconnect");
    socket.disconnect();
    return { ...seen, ...ended };
  }

  async function echoes(socket, seen) {
    for (let round = 0; round < rounds; round += 1) {
      let reply = null;
      socket.emit("message", `text ${round}`, (text) => { reply = text; });
      await soon("an ack", () => reply !== null);
      seen.replies.push(reply);
    }
  }

  async function soon(what, condition) {
    const deadline = performance.now() + timeoutMs;
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

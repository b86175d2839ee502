// Echo nodes of the real Node servers, socket.io 4.x or 2.x, one process each below one parent. They answer as echo/ does:
// every reply names the node (`node#<pid>`), and so does the header x-node of every HTTP answer that is no handshake of a
// websocket. Pages, and they alone, are given a cookie. Usage: node nodes.mjs '{"version": 2, "ports": [8002, 8003]}'

import { fork } from "node:child_process";
import { createServer } from "node:http";

// Whatever may be compressed is, the open packet included; the io cookie of 2.x would be an identity.
const OPTIONS = { serveClient: false, cookie: false, httpCompression: { threshold: 0 }, perMessageDeflate: { threshold: 0 } };
const COOKIE = "visitor=1; Path=/; SameSite=None; Secure";
const NAME = `node#${process.pid}`;
const SERVERS = {
  4: async (http) => {
    const { Server } = await import("socket.io");
    return new Server(http, { ...OPTIONS, allowEIO3: true, cors: { origin: true, credentials: true } });
  },
  2: async (http) => (await import("socket.io-2")).default(http, OPTIONS),
};

const wish = JSON.parse(process.argv[2]);
if (process.send) await serve();
else wish.ports.forEach(start);

function start(port) {
  const node = fork(process.argv[1], [JSON.stringify({ version: wish.version, port })]);
  console.log(`node#${node.pid} on http://127.0.0.1:${port}/`);
}

async function serve() {
  process.on("disconnect", () => process.exit()); // with its parent
  const http = createServer();
  const io = await SERVERS[wish.version](http);
  http.prependListener("request", (request, response) => {
    response.setHeader("x-node", NAME);
    if (request.headers.origin) response.setHeader("set-cookie", COOKIE);
  });
  io.on("connection", (socket) => {
    socket.emit("message", answer("welcome"));
    socket.on("message", (payload, ack) => {
      const reply = answer(payload);
      socket.emit("message", reply);
      ack?.(reply);
    });
  });
  http.listen(wish.port, "127.0.0.1");
}

// Text for text, bytes for bytes.
function answer(payload) {
  const prefix = `${NAME}: `;
  return Buffer.isBuffer(payload) ? Buffer.concat([Buffer.from(prefix), payload]) : prefix + payload;
}

// Opens many Socket.IO sessions at once with the real JavaScript client, talks, and tells what happened to each of them
// as one line of JSON. Usage: node clients.mjs '{"url": ..., "transports": ["polling", "websocket"], "count": 20, "rounds": 5}'

import { io } from "socket.io-client";

const TIMEOUT_MS = 20_000;
const wish = JSON.parse(process.argv[2]);
const upgrades = wish.transports[0] === "polling" && wish.transports.includes("websocket");

const results = await Promise.all(Array.from({ length: wish.count }, session));
// A poll may still be open, since python-engineio leaves it unanswered after a goodbye; Node would wait for it.
process.stdout.write(JSON.stringify(results), () => process.exit());

async function session() {
  const socket = io(wish.url, { transports: wish.transports, forceNew: true });
  const seen = { sids: [], began: null, ended: null, replies: [], binary: [], errors: [], disconnects: [] };
  const opened = new Promise((resolve) => socket.io.once("open", resolve));
  const welcomed = new Promise((resolve) => socket.once("message", resolve));
  const upgraded = opened.then(() => {
    seen.began = socket.io.engine.transport.name;
    return upgrades ? new Promise((resolve) => socket.io.engine.once("upgrade", resolve)) : null;
  });
  socket.on("connect", () => seen.sids.push(socket.io.engine.id));
  socket.on("message", (payload) => seen.replies.push(typeof payload === "string" ? payload : payload.toString("latin1")));
  socket.on("connect_error", (error) => seen.errors.push(`${error.message}: ${error.description ?? ""}`));
  socket.on("disconnect", (reason) => seen.disconnects.push(reason));

  try {
    await inTime(welcomed, "a welcome");
    await talk(socket, seen);
    await inTime(upgraded, "an upgrade");
    await talk(socket, seen);
    seen.ended = socket.io.engine.transport.name;
  } catch (error) {
    seen.errors.push(error.message);
  }
  socket.off("disconnect");
  socket.disconnect();
  return seen;
}

// Text with an ack, and binary; the ack of binary is the binary echo.
async function talk(socket, seen) {
  for (let round = 0; round < wish.rounds; round += 1) {
    seen.replies.push(await socket.timeout(TIMEOUT_MS).emitWithAck("message", `text ${round}`));
    const echo = await socket.timeout(TIMEOUT_MS).emitWithAck("message", Buffer.from([0, round, 255]));
    seen.binary.push(echo.toString("latin1"));
  }
}

function inTime(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${TIMEOUT_MS} ms: ${what}`)), TIMEOUT_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

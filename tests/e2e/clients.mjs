// Socket.IO sessions of the real JavaScript clients, 4.x and 2.x. Does what each line of stdin says, as JSON, and answers
// with a line of JSON on stdout: what "report" asks for, or null. Failures are kept with the session they happened to.
//   {"do": "open", "groups": [{"url": ..., "version": 4, "transports": ["polling"], "count": 20, "reconnects": false,
//                                "number": 0}]}   opens the sessions, and waits for the welcome of each
//   {"do": "talk", "rounds": 5}      text with an ack and binary with an ack, in turn
//   {"do": "send", "text": "x"}      text without an ack
//   {"do": "hear", "text": "x"}      waits for its echo
//   {"do": "upgraded"}               waits until no session is on polling that may leave it
//   {"do": "close", "groups": [1]}   closes the sessions of these groups for good
//   {"do": "report"}                 tells what has happened to each session so far

import { createInterface } from "node:readline";
import { io as io4 } from "socket.io-client";
import io2 from "socket.io-client-2";

const TIMEOUT_MS = 60_000;
const AT_ONCE = 20; // sessions that act at the same time
const RECONNECTION = { reconnectionDelay: 200, reconnectionDelayMax: 400 };
const CLIENTS = { 2: io2, 4: io4 };
const sessions = [];
const acts = { open, talk, send, hear, upgraded, close, report };

for await (const line of createInterface({ input: process.stdin })) {
  const wish = JSON.parse(line);
  console.log(JSON.stringify((await acts[wish.do](wish)) ?? null));
}
// A poll may still be open, since python-engineio leaves it unanswered after a goodbye; Node would wait for it.
process.exit();

function open({ groups }) {
  const made = groups.flatMap((group) => Array.from({ length: group.count }, () => planned(group)));
  sessions.push(...made);
  return forAll(made, (session) => {
    connect(session);
    return heard(session, "welcome");
  });
}

function planned(wish) {
  const seen = { group: wish.number, sids: [], began: null, ended: null, replies: [], binary: [], errors: [], disconnects: [] };
  return { wish, seen, upgrades: wish.transports[0] === "polling" && wish.transports.includes("websocket") };
}

function connect(session) {
  const { wish, seen } = session;
  const options = { transports: wish.transports, forceNew: true, reconnection: wish.reconnects ?? false };
  const socket = CLIENTS[wish.version](wish.url, { ...options, ...RECONNECTION });
  Object.assign(session, { socket, engine: () => socket.io.engine });
  socket.io.on("open", () => (seen.began = socket.io.engine.transport.name));
  socket.on("connect", () => {
    seen.sids.push(socket.io.engine.id);
    seen.replies.length = seen.binary.length = 0;
  });
  socket.on("message", (payload) => seen.replies.push(readable(payload)));
  socket.on("connect_error", (error) => seen.errors.push(`${error.message ?? error}: ${error.description ?? ""}`));
  socket.on("disconnect", (reason) => seen.disconnects.push(reason));
}

function talk({ rounds }) {
  return forAll(sessions, async ({ socket, seen }) => {
    for (let round = 0; round < rounds; round += 1) {
      seen.replies.push(await ack(socket, `text ${round}`));
      seen.binary.push(readable(await ack(socket, Buffer.from([0, round, 255]))));
    }
  });
}

function send({ text }) {
  for (const { socket } of sessions) socket.emit("message", text);
}

function hear({ text }) {
  return forAll(sessions, (session) => heard(session, text));
}

function upgraded() {
  return forAll(sessions, (session) => {
    const { upgrades, engine } = session;
    return until(() => !upgrades || engine().transport.name === "websocket", engine, "upgrade", "an upgrade");
  });
}

function close({ groups }) {
  for (const { socket, seen } of sessions) {
    if (!groups.includes(seen.group)) continue;
    socket.off("disconnect");
    socket.disconnect();
  }
  sessions.splice(0, sessions.length, ...sessions.filter(({ seen }) => !groups.includes(seen.group)));
}

function report() {
  return sessions.map(({ seen, socket, engine }) => ({
    ...seen, ended: engine().transport.name, connected: socket.connected,
  }));
}

// Do it with each of the list, some at a time; what fails is kept where it happened.
async function forAll(list, act) {
  const rest = list.values();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const each of rest) {
      try {
        await act(each);
      } catch (error) {
        each.seen.errors.push(error.message);
      }
    }
  }));
}

function heard({ socket, seen }, text) {
  const isThere = () => seen.replies.some((reply) => reply.endsWith(`: ${text}`));
  return until(isThere, () => socket, "message", `an echo of ${text}`);
}

function ack(socket, payload) {
  return inTime(new Promise((resolve) => socket.emit("message", payload, resolve)), "an ack");
}

// When the condition holds, now or after an event of the emitter.
function until(condition, emitter, event, what) {
  if (condition()) return null;
  return inTime(new Promise((resolve) => {
    const look = () => condition() && (emitter().off(event, look), resolve());
    emitter().on(event, look);
  }), what);
}

function readable(payload) {
  return typeof payload === "string" ? payload : payload.toString("latin1");
}

function inTime(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${TIMEOUT_MS} ms: ${what}`)), TIMEOUT_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

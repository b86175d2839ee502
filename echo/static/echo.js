// The echo page: one Socket.IO session, and all that can be seen of it.
// index.html takes the client's default transports; index2.html begins with the websocket and carries a client_id in
// its URL, so that its requests have a Referer that names the user.

const CLIENT_LIBRARY = "/socket.io.min.js";
const CLIENT_LIBRARY_CDN = "https://cdn.socket.io/4.8.3/socket.io.min.js";
const CLIENT_LIBRARY_CDN_INTEGRITY = "sha384-kzavj5fiMwLKzzD1f8S7TeoVIEi7uKHvbTA3ueZkrzYq75pNQUiUi6Dy98Q3fxb0";
const ROOM = "lobby";
const SAMPLES = 60;
const SAMPLE_INTERVAL_MS = 1000;
const LOG_LINES = 300;

const websocketFirst = location.pathname.endsWith("/index2.html");
const transports = websocketFirst ? ["websocket", "polling"] : ["polling", "websocket"];
const $ = (id) => document.getElementById(id);

// What is known of the current session; begun anew with each connect.
const session = { nodes: new Set(), replies: 0, joined: null, openedAt: 0 };
let samples = [];

function start() {
  if (websocketFirst) addClientId();
  for (const link of document.querySelectorAll("nav a")) {
    const isHere = link.pathname.endsWith("/index2.html") === websocketFirst;
    if (isHere) link.setAttribute("aria-current", "page");
  }
  drawTrack();
  loadLibrary().then(connect, (error) => {
    show("disconnected", "no client library");
    notice(error.message);
  });
}

// The URL, not a cookie: it is what a Referer header carries.
function addClientId() {
  const url = new URL(location.href);
  if (url.searchParams.get("client_id")) return;
  url.searchParams.set("client_id", randomId());
  history.replaceState(null, "", url);
}

// crypto.randomUUID exists on secure pages only, and a test cluster on a local network is none.
function randomId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function loadLibrary() {
  try {
    await addScript(CLIENT_LIBRARY);
  } catch {
    notice("This node has no copy of socket.io-client (npm ci fetches it); the page takes it from cdn.socket.io.");
    await addScript(CLIENT_LIBRARY_CDN, CLIENT_LIBRARY_CDN_INTEGRITY);
  }
}

function addScript(source, integrity = "") {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    Object.assign(script, { src: source, integrity, crossOrigin: "anonymous" });
    script.onload = resolve;
    script.onerror = () => reject(new Error(`The Socket.IO client could not be loaded from ${source}.`));
    document.head.append(script);
  });
}

function connect() {
  const socket = io(websocketFirst ? { transports, tryAllTransports: true } : {});
  socket.io.on("open", () => watchTransport(socket.io.engine));
  socket.io.on("reconnect_attempt", (attempt) => show("connecting", `connecting, attempt ${attempt}`));
  socket.on("connect", () => onConnect(socket));
  socket.on("disconnect", onDisconnect);
  socket.on("connect_error", (error) => log("failure", "!", `connect: ${error.message}`));
  socket.on("message", onReply);
  socket.on("room", (room, text) => onReply(text, ` in ${room}`));
  setInterval(() => measure(socket), SAMPLE_INTERVAL_MS);
  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    send(socket);
  });
  $("reconnect").addEventListener("click", () => socket.disconnect().connect());
}

// ---- The session

function onConnect(socket) {
  session.replies = 0;
  session.joined = null;
  session.nodes.clear();
  samples = [];
  show("connected", "connected");
  $("session").textContent = `session ${socket.id}`;
  $("stickiness").textContent = "no reply yet";
  $("stickiness").classList.remove("broken");
  log("event", "•", `connected by ${socket.io.engine.transport.name}`);
  measure(socket);
}

function onDisconnect(reason) {
  show("disconnected", "disconnected");
  $("transport").textContent = "–";
  $("transport-story").textContent = reason;
  $("session").textContent = "";
  markTrack(null, null);
  log("event", "•", `disconnected: ${reason}`);
}

function onReply(payload, where = "") {
  const text = typeof payload === "string" ? payload : new TextDecoder().decode(payload);
  const node = countNode(text);
  const kind = typeof payload === "string" ? "" : " (binary)";
  log("reply", "←", where + kind + text.slice(node.length), node);
  ripple();
}

// Every reply, an ack too, begins with the node's name.
function countNode(text) {
  const node = /^node#\d+/.exec(text)?.[0] ?? "";
  if (!node) return node;
  session.replies += 1;
  session.nodes.add(node);
  $("node").textContent = node;
  document.documentElement.style.setProperty("--hue", hueOf(node));
  const broken = session.nodes.size > 1;
  const replies = session.replies === 1 ? "1 reply" : `${session.replies} replies`;
  $("stickiness").classList.toggle("broken", broken);
  $("stickiness").textContent = replies + (broken ? ` from ${session.nodes.size} nodes: not sticky` : ", one node");
  return node;
}

// Neighbouring numbers, as nodes of one cluster have, land far apart on the colour wheel.
function hueOf(node) {
  return Math.round((Number(node.slice(5)) * 137.508) % 360);
}

function send(socket) {
  const text = $("text").value;
  const mode = new FormData($("composer")).get("mode");
  log("sent", "→", (mode === "text" ? "" : `(${mode}) `) + text);
  if (mode === "text") socket.emit("message", text);
  if (mode === "ack") socket.emit("message", text, (ack) => log("event", "✓", `ack: ${ack}`, ""));
  if (mode === "binary") socket.emit("message", new TextEncoder().encode(text));
  if (mode === "room") sendToRoom(socket, text);
  $("text").value = "";
}

function sendToRoom(socket, text) {
  if (session.joined !== ROOM) socket.emit("join", ROOM, (ack) => log("event", "✓", ack));
  session.joined = ROOM;
  socket.emit("room", ROOM, text);
}

// ---- Transport

function watchTransport(engine) {
  session.openedAt = performance.now();
  const begun = engine.transport.name;
  showTransport(begun, null, `began with ${begun}`);
  engine.on("upgrading", () => markTrack(begun, null, true));
  engine.on("upgrade", (transport) => {
    const took = Math.round(performance.now() - session.openedAt);
    showTransport(transport.name, begun, `upgraded after ${took} ms`);
    log("event", "↑", `upgraded to ${transport.name} after ${took} ms`);
  });
}

function showTransport(active, passed, story) {
  $("transport").textContent = active;
  $("transport-story").textContent = story;
  markTrack(active, passed);
}

function drawTrack() {
  const [first, second] = transports.map((name) => {
    const item = document.createElement("li");
    item.dataset.name = item.textContent = name;
    return item;
  });
  const rail = document.createElement("span");
  rail.className = "rail";
  $("track").append(first, rail, second);
}

function markTrack(active, passed, probing = false) {
  for (const item of $("track").querySelectorAll("li")) {
    item.classList.toggle("active", item.dataset.name === active);
    item.classList.toggle("passed", item.dataset.name === passed);
  }
  const rail = $("track").querySelector(".rail");
  rail.classList.toggle("passed", passed !== null);
  rail.classList.toggle("probing", probing);
}

// ---- Round trip

function measure(socket) {
  if (!socket.connected || document.hidden) return;
  const begun = performance.now();
  socket.timeout(10_000).emit("latency", (error, node) => {
    if (error) return;
    samples = [...samples, performance.now() - begun].slice(-SAMPLES);
    countNode(node);
    drawLatency();
  });
}

function drawLatency() {
  const sorted = [...samples].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  $("latency").textContent = format(samples.at(-1));
  const worst = format(sorted.at(-1));
  $("latency-story").textContent = `median ${format(median)}, worst ${worst} of the last ${samples.length}`;
  const top = Math.max(Math.min(sorted.at(-1), median * 4), 1) * 1.1; // one slow answer must not flatten the rest
  const step = 240 / (SAMPLES - 1);
  const left = 240 - (samples.length - 1) * step;
  const height = (value) => 47 - Math.min(value / top, 1) * 46;
  const points = samples.map((value, index) => `${(left + index * step).toFixed(1)},${height(value).toFixed(1)}`);
  $("spark-line").setAttribute("points", points.join(" "));
  $("spark-area").setAttribute("d", `M${left.toFixed(1)},48 L${points.join(" L")} L240,48 Z`);
}

function format(ms) {
  return ms < 9.95 ? ms.toFixed(1) : String(Math.round(ms));
}

// ---- What is shown

function show(state, text) {
  document.documentElement.dataset.state = state;
  $("state").textContent = text;
  $("send").disabled = state !== "connected";
}

function notice(text) {
  $("notice").append(element("span", "", `${text} `));
  $("notice").hidden = false;
}

function ripple() {
  const ring = document.createElement("i");
  ring.className = "ripple";
  ring.addEventListener("animationend", () => ring.remove());
  $("orb").append(ring);
}

function log(kind, mark, text, node = "") {
  const list = $("log");
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  const line = document.createElement("li");
  line.className = kind;
  const body = element("span", "text", "");
  if (node) {
    const from = element("span", "from", node);
    from.style.setProperty("--from-hue", hueOf(node));
    body.append(from);
  }
  body.append(text);
  line.append(element("time", "", new Date().toTimeString().slice(0, 8)), element("span", "mark", mark), body);
  list.append(line);
  if (list.children.length > LOG_LINES) list.firstChild.remove();
  if (isAtEnd) list.scrollTop = list.scrollHeight;
}

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

start();

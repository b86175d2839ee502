// Opens one echo page in a real Chromium, talks to the node, and tells what it saw as one line of JSON.
// Usage: node browser.mjs '{"url": ..., "chromium": <program>, "profile": <new folder>, "text": ..., "screenshot": <file>,
//                           "colorScheme": "dark", "width": 390, "height": 844, "sessions": 3,
//                           "withoutLibrary": true}'
// Exit status 1 with the reason on stderr when the page does not come so far.

import { chromium } from "playwright-core";

const ARGUMENTS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const TIMEOUT_MS = 60_000;
const SAMPLES = 3;

const wish = JSON.parse(process.argv[2]);
const context = await chromium.launchPersistentContext(wish.profile, {
  executablePath: wish.chromium,
  args: ARGUMENTS,
  colorScheme: wish.colorScheme ?? "light",
  viewport: { width: wish.width ?? 1100, height: wish.height ?? 800 },
});
context.setDefaultTimeout(TIMEOUT_MS);
const seen = { errors: [], websockets: [], asked: [] };
try {
  const page = await context.newPage();
  watch(page);
  await (wish.withoutLibrary ? visitWithoutLibrary(page) : visit(page));
  if (wish.screenshot) await page.screenshot({ path: wish.screenshot });
  console.log(JSON.stringify({ ...seen, ...(await page.evaluate(read)) }));
} catch (error) {
  console.error(error, seen);
  process.exitCode = 1;
} finally {
  await context.close();
}

function watch(page) {
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("console", (message) => message.type() === "error" && seen.errors.push(message.text()));
  page.on("websocket", (socket) => seen.websockets.push(socket.url()));
  page.on("request", (request) => seen.asked.push(request.url()));
}

// A welcome and the websocket for each session, then an echo, and a few round trips.
async function visit(page) {
  await page.goto(wish.url);
  await session(page, 1);
  for (let number = 2; number <= (wish.sessions ?? 1); number += 1) {
    await page.locator("#reconnect").click();
    await session(page, number);
  }
  await page.locator("#text").fill(wish.text);
  await page.locator("#send").click();
  await page.locator("#log .reply").getByText(`: ${wish.text}`).waitFor();
  await page.waitForFunction((least) => document.querySelector("#spark-line").points.length >= least, SAMPLES);
}

async function session(page, number) {
  await page.locator("#log").getByText(": welcome").nth(number - 1).waitFor();
  await page.locator("#transport").getByText("websocket", { exact: true }).waitFor();
}

// As on a machine without npm, and without a way to the CDN either.
async function visitWithoutLibrary(page) {
  await context.route("**/socket.io.min.js", (route) => route.fulfill({ status: 404, body: "Not Found" }));
  await context.route("https://**", (route) => route.abort());
  await page.goto(wish.url);
  await page.locator("#state").getByText("no client library").waitFor();
}

function read() {
  const text = (id) => document.getElementById(id).textContent;
  const texts = (selector) => Array.from(document.querySelectorAll(selector), (line) => line.textContent);
  return {
    url: location.href,
    state: text("state"),
    node: text("node"),
    transport: text("transport"),
    transportStory: text("transport-story"),
    stickiness: text("stickiness"),
    notices: texts("#notice:not([hidden])"),
    replies: texts("#log .reply .text"),
    log: texts("#log .text"),
    overflows: document.documentElement.scrollWidth > document.documentElement.clientWidth,
  };
}

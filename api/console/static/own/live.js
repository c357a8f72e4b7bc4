// Live values: one stream for the whole browser, and only cells that changed are touched.
//
// The tab that holds the lock keeps the stream and passes its messages on; another takes over when
// it closes or is hidden. A message says which accounts changed; each tab then asks for its own page
// again and compares it cell by cell. What has the focus is never touched.

const LOCK = "wattledger-live";
const PAUSE_MS = 1000;
const REOPEN_MS = 5000;
const SPOKEN_EVERY_MS = 10_000;
const channel = new BroadcastChannel(LOCK);
let isLeading = false;
let release = () => {};
let asking = null;
let timer = 0;
let lastAsked = 0;
let wasAway = false;
let spoken = 0;

export function start() {
  channel.addEventListener("message", ({ data }) => {
    if (data.hello) {
      if (isLeading) channel.postMessage({ state: shown() });
    } else take(data);
  });
  document.addEventListener("visibilitychange", attend);
  document.addEventListener("ledger:changed", () => refresh(0));
  addEventListener("pagehide", () => {
    wasAway = true;
    release();
  });
  addEventListener("pageshow", (event) => event.persisted && attend());
  attend();
}

/** Wait for the lock while the tab is seen, and give it up when it is not. */
function attend() {
  release();
  if (document.hidden) {
    wasAway = true;
    return;
  }
  if (wasAway) refresh(0); // Nobody told this tab what happened meanwhile.
  wasAway = false;
  const waiting = new AbortController();
  let end = () => {};
  const held = new Promise((resolve) => (end = resolve));
  release = () => {
    waiting.abort();
    end();
  };
  channel.postMessage({ hello: true });
  navigator.locks.request(LOCK, { signal: waiting.signal }, () => lead(held)).catch((error) => {
    if (error.name !== "AbortError") throw error;
  });
}

/** Keep the stream until this tab has to let go. */
async function lead(held) {
  isLeading = true;
  let stream;
  let again = 0;
  const tell = (message) => {
    channel.postMessage(message);
    take(message);
  };
  const open = () => {
    stream = new EventSource("/live");
    stream.onopen = () => tell({ state: "live" });
    stream.onmessage = ({ data }) => tell({ change: JSON.parse(data) });
    stream.onerror = () => {
      tell({ state: "lost" });
      if (stream.readyState !== EventSource.CLOSED) return; // The browser tries again by itself.
      again = setTimeout(() => {
        ask(); // Where the session is over, this leads to the form.
        open();
      }, REOPEN_MS);
    };
  };
  open();
  await held;
  clearTimeout(again);
  stream.close();
  isLeading = false;
}

function take({ state, change }) {
  if (state) {
    const was = shown();
    show(state);
    if (state === "live" && was === "lost") refresh(0);
  }
  if (change && concerns(change)) {
    document.dispatchEvent(new CustomEvent("live:change", { detail: change }));
    refresh(PAUSE_MS);
  }
}

const sign = () => document.getElementById("live");
const shown = () => sign()?.dataset.state ?? "connecting";
function show(state) {
  const place = sign();
  if (!place || place.dataset.state === state) return;
  place.dataset.state = state;
  place.querySelector(".live-word").textContent = place.dataset[state];
}

/** Whether a change is about anything on this page. */
function concerns({ accounts, topics }) {
  if (accounts === null || topics.some((topic) => topic.startsWith("command"))) return true;
  const own = document.querySelector("#account")?.dataset.account;
  if (own) return accounts.includes(own);
  return accounts.length > 0;
}

/** Ask for this page again, at most once at a time and once a second. */
function refresh(pause) {
  if (document.hidden || !document.querySelector("[data-live-cells], [data-live-rows], [data-live-part]")) return;
  if (timer) {
    if (pause) return;
    clearTimeout(timer);
  }
  const wait = Math.max(pause ? lastAsked + pause - Date.now() : 0, 0);
  timer = setTimeout(ask, wait);
}

async function ask() {
  timer = 0;
  if (asking) return;
  lastAsked = Date.now();
  asking = fetch(location.href, { headers: { "HX-Request": "true", Accept: "text/html" } });
  try {
    const answer = await asking;
    if (answer.redirected) location.reload(); // The session is over.
    else if (answer.ok) patch(await answer.text());
  } catch {
    show("lost");
  } finally {
    asking = null;
  }
}

// ---------------------------------------------------------------- patching

/** Bring what is shown to what the server says now. */
export function patch(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const old of document.querySelectorAll(".fresh")) old.classList.remove("fresh");
  let changed = 0;
  for (const part of document.querySelectorAll("[data-live-part]")) changed += renew(part, fresh.getElementById(part.id));
  for (const box of document.querySelectorAll("[data-live-cells]")) {
    for (const row of box.children) changed += renewRow(row, fresh.getElementById(row.id));
  }
  for (const box of document.querySelectorAll("[data-live-rows]")) changed += renewRows(box, fresh.getElementById(box.id));
  if (changed) speak();
}

function renewRow(row, to) {
  if (!to) return 0;
  if (row.className !== to.className && !row.classList.contains("chosen")) row.className = to.className;
  if (row.tagName === "A" && row.getAttribute("href") !== to.getAttribute("href")) row.setAttribute("href", to.getAttribute("href"));
  let changed = 0;
  for (let at = 0; at < row.children.length; at++) changed += renew(row.children[at], to.children[at]);
  return changed;
}

/** New content for a cell, unless somebody is in it or has opened it. */
function renew(cell, to) {
  if (!to || cell.innerHTML === to.innerHTML) return 0;
  if (cell.contains(document.activeElement) || cell.querySelector("details[open]")) return 0;
  cell.innerHTML = to.innerHTML;
  if (cell.className !== to.className) cell.className = to.className;
  cell.classList.add("fresh");
  return 1;
}

/** Rows that came, went or moved; those that stay keep their place in the hands of the reader. */
function renewRows(box, to) {
  if (!to) return 0;
  let changed = 0;
  let at = box.firstElementChild;
  const wanted = new Set([...to.children].map((row) => row.id));
  for (const row of [...to.children]) {
    const known = document.getElementById(row.id);
    if (known) {
      changed += renewRow(known, row);
      if (known === at) at = at.nextElementSibling;
      else if (!known.contains(document.activeElement)) box.insertBefore(known, at);
    } else {
      box.insertBefore(document.adoptNode(row), at);
      changed += 1;
    }
  }
  for (const row of [...box.children]) {
    if (!wanted.has(row.id) && !row.contains(document.activeElement)) row.remove();
  }
  return changed;
}

/** Tell screen readers that something changed, now and then; never what a sweep changes. */
function speak() {
  const place = document.getElementById("told");
  if (!place || Date.now() - spoken < SPOKEN_EVERY_MS || !document.querySelector("#account")) return;
  spoken = Date.now();
  place.textContent = document.getElementById("words").dataset.changed;
}

// What every page does: keys, dialogs, forms that are sent once, and small messages.
import { start as startLive } from "./live.js";

const $ = (selector, root = document) => root.querySelector(selector);
const words = $("#words")?.dataset ?? {};

// ---------------------------------------------------------------- messages

let toastTimer = 0;
/** @param {string} text */
export function toast(text) {
  const box = $("#toast");
  if (!box || !text) return;
  box.textContent = text;
  box.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (box.hidden = true), 5000);
}

// ---------------------------------------------------------------- dialogs

const dialog = $("#dialog");
const body = $("#dialog-body");
const prepared = new Map();
const PREPARED_MS = 20_000;

/** The dialog's HTML; asked for when the pointer or the focus comes near, so it opens at once. */
function prepare(href) {
  const known = prepared.get(href);
  if (known && Date.now() - known.at < PREPARED_MS) return known.html;
  const html = fetch(href, { headers: { "HX-Request": "true", Accept: "text/html" } }).then((answer) => answer.text());
  prepared.set(href, { at: Date.now(), html });
  html.catch(() => prepared.delete(href));
  return html;
}

async function openDialog(link) {
  try {
    const html = await prepare(link.href);
    prepared.delete(link.href); // Its key is for one payment.
    body.innerHTML = html;
    htmx.process(body);
    dialog.showModal();
    ($("[autofocus]", body) ?? body).focus();
  } catch {
    toast(words.offline);
  }
}

const dialogLink = (event) => event.target.closest?.("a[data-dialog]");
for (const near of ["pointerover", "focusin"])
  document.addEventListener(near, (event) => {
    const link = dialogLink(event);
    if (link && !("late" in link.dataset)) prepare(link.href); // What costs much waits for the click.
  });

document.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target);
  const link = dialogLink(event);
  if (link && !(event.ctrlKey || event.metaKey || event.shiftKey)) {
    event.preventDefault();
    openDialog(link);
  } else if (target.closest("[data-close]")) {
    target.closest("dialog")?.close();
  } else if (target.closest("[data-open]")) {
    $(target.closest("[data-open]").dataset.open).showModal();
  } else if (target.closest("[data-copy]")) {
    navigator.clipboard?.writeText(target.closest("[data-copy]").dataset.copy);
  } else if (target.closest("[data-amount]")) {
    const chip = target.closest("[data-amount]");
    const field = $("input[name=amount]", chip.form);
    field.value = chip.dataset.amount;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  } else if (target instanceof HTMLDialogElement) {
    target.close(); // The backdrop.
  }
  for (const menu of document.querySelectorAll("details.who[open]"))
    if (!menu.contains(target)) menu.open = false;
});
dialog?.addEventListener("close", () => (body.innerHTML = ""));

// ---------------------------------------------------------------- forms

document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!form.matches("[data-once]")) return;
  for (const button of form.querySelectorAll("button:not([type=button])")) button.disabled = true;
});

// A filter that is not set leaves no trace in the address.
document.addEventListener("htmx:config:request", (event) => {
  const { request, sourceElement } = event.detail.ctx;
  if (sourceElement.id !== "filters") return;
  for (const [name, value] of [...request.body]) if (!value) request.body.delete(name);
});
for (const failed of ["htmx:error", "htmx:response:error"])
  document.addEventListener(failed, (event) => {
    if (event.detail?.ctx?.response?.status === 422) return; // The form says it itself.
    toast(words.failed);
    for (const button of document.querySelectorAll("[data-once] button[disabled]")) button.disabled = false;
  });
document.addEventListener("htmx:after:swap", () => {
  if (dialog?.open) $("[autofocus]", body)?.focus();
});

// ---------------------------------------------------------------- keys

/** What was wrong with the amount that was sent says nothing about the one typed now. */
document.addEventListener("input", (event) => {
  const field = /** @type {Element} */ (event.target);
  if (field.matches("[data-recharge] [name=amount]")) $("[role=alert]", field.closest("form"))?.remove();
});

const KEYS_OFF = "wattledger-keys-off";
let awaitsSection = false;
let sectionTimer = 0;

function rows() {
  return [...document.querySelectorAll("tbody tr, live-table .rows .row")].filter((row) => $("a.row-link", row));
}
function step(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.classList.contains("chosen"));
  const next = all[Math.max(0, Math.min(all.length - 1, at + by))];
  all[at]?.classList.remove("chosen");
  next.classList.add("chosen");
  $("a.row-link", next).focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}
function go(key) {
  const link = $(`[data-go="${CSS.escape(key)}"]`);
  if (link) link.click();
}
/** The form of the row that is chosen, or of the account on the page. */
function act(key) {
  const row = $("tr.chosen");
  const link = row && key === "r" ? $("a[data-dialog]", row) : $(`a[data-key="${key}"]`);
  link?.click();
}

document.addEventListener("keydown", (event) => {
  const target = /** @type {Element} */ (event.target);
  // A field of a dialog that has just closed may keep the focus for a frame: nobody types there.
  const isTyping = target.matches("input, textarea, select, [contenteditable]") && target.checkVisibility();
  if (event.key === "Escape" && isTyping && !target.closest("dialog")) target.blur();
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
  if (localStorage.getItem(KEYS_OFF)) return;
  if (awaitsSection) {
    awaitsSection = false;
    go(event.key);
    return;
  }
  if (event.key === "/" || event.key === "f") {
    event.preventDefault();
    const field = $(event.key === "/" ? "#find" : "#q");
    field?.focus();
    field?.select();
  } else if (event.key === "?") $("#keys")?.showModal();
  else if (event.key === "g") {
    awaitsSection = true;
    clearTimeout(sectionTimer);
    sectionTimer = setTimeout(() => (awaitsSection = false), 1200);
  } else if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else if (event.key === "r" || event.key === "x") act(event.key);
});

const keysOff = $("#keys-off");
if (keysOff) {
  keysOff.checked = Boolean(localStorage.getItem(KEYS_OFF));
  keysOff.addEventListener("change", () => {
    if (keysOff.checked) localStorage.setItem(KEYS_OFF, "1");
    else localStorage.removeItem(KEYS_OFF);
  });
}

// On a telephone the sections are wider than the page: the one that is open shall be seen.
$("header nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });

if (document.body.hasAttribute("data-signed-in")) startLive();

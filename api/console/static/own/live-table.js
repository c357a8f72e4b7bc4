// <live-table>: every account at once; only the rows in sight exist, and only those are asked anew.

const ROW_PX = 36;
const SPARE = 8;
// The order in which the server tells a row.
const [NO, GROUP, METERS, SUPPLY, AVAILABLE_MINOR, CURRENCY, DAYS, LEVEL, READ_AT, IS_STALE] = Array(10).keys();
const language = document.documentElement.lang;
const numbers = new Intl.NumberFormat(language);
const currencies = new Map();

/** An amount of minor units, as the server writes it. */
function money(minor, currency) {
  let known = currencies.get(currency);
  if (!known) {
    const format = new Intl.NumberFormat(language, { style: "currency", currency });
    known = { format, scale: 10 ** format.resolvedOptions().maximumFractionDigits };
    currencies.set(currency, known);
  }
  return known.format.format(minor / known.scale);
}

const element = (name, className = "", text = "") => {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
};

class LiveTable extends HTMLElement {
  async connectedCallback() {
    this.words = JSON.parse(this.dataset.words);
    this.shown = new Map(); // index -> row element
    this.spare = [];
    this.outdated = new Set();
    try {
      const answer = await fetch(this.getAttribute("src"), { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      this.data = await answer.json();
    } catch {
      this.querySelector("[data-loading]").textContent = this.words.failed;
      return;
    }
    this.at = new Map(this.data.map((row, index) => [row[NO], index]));
    this.build();
    this.onChange = ({ detail }) => this.note(detail.accounts);
    document.addEventListener("live:change", this.onChange);
  }

  disconnectedCallback() {
    document.removeEventListener("live:change", this.onChange);
  }

  build() {
    this.replaceChildren();
    this.pane = element("div", "window");
    this.pane.tabIndex = 0;
    this.pane.setAttribute("role", "table");
    this.pane.setAttribute("aria-label", this.words.label);
    this.pane.setAttribute("aria-rowcount", String(this.data.length + 1));
    const head = element("div", "row head-row");
    head.setAttribute("role", "row");
    head.setAttribute("aria-rowindex", "1");
    this.words.heads.forEach((word, column) => {
      const cell = element("span", column === 4 || column === 5 ? "right" : "", word);
      cell.setAttribute("role", "columnheader");
      head.append(cell);
    });
    this.body = element("div", "rows");
    this.body.setAttribute("role", "rowgroup");
    this.body.style.height = `${this.data.length * ROW_PX}px`;
    const headGroup = element("div");
    headGroup.setAttribute("role", "rowgroup");
    headGroup.append(head);
    this.pane.append(headGroup, this.body);
    this.pane.addEventListener("scroll", () => this.later(), { passive: true });
    this.foot = element("p", "bar-line", this.words.rows.replace("{shown}", numbers.format(this.data.length)).replace("{all}", numbers.format(Number(this.dataset.count))));
    this.append(this.pane, this.foot);
    new ResizeObserver(() => this.later()).observe(this.pane);
    this.draw();
  }

  later() {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame(() => {
      this.isDue = false;
      this.draw();
    });
  }

  draw() {
    const first = Math.max(0, Math.floor(this.pane.scrollTop / ROW_PX) - SPARE);
    const last = Math.min(this.data.length, Math.ceil((this.pane.scrollTop + this.pane.clientHeight) / ROW_PX) + SPARE);
    for (const [index, row] of this.shown) {
      if ((index < first || index >= last) && !row.contains(document.activeElement)) {
        this.shown.delete(index);
        this.spare.push(row);
      }
    }
    for (let index = first; index < last; index++) {
      if (this.shown.has(index)) continue;
      const row = this.spare.pop() ?? this.emptyRow();
      this.shown.set(index, row);
      row.style.transform = `translateY(${index * ROW_PX}px)`;
      row.setAttribute("aria-rowindex", String(index + 2));
      row.classList.remove("chosen");
      this.fill(row, this.data[index], false);
      if (!row.isConnected) this.body.append(row);
    }
    for (const row of this.spare) row.remove();
    this.ask();
  }

  emptyRow() {
    const row = element("div", "row");
    row.setAttribute("role", "row");
    for (let column = 0; column < 8; column++) {
      const cell = element("span", column === 4 || column === 5 ? "right" : "");
      cell.setAttribute("role", "cell");
      row.append(cell);
    }
    row.children[0].append(element("a", "row-link"));
    row.children[2].className = "code";
    row.children[3].append(element("span"));
    row.children[6].append(element("span"));
    row.children[7].className = "code faint";
    return row;
  }

  /** Write what differs into the cells of a row. */
  fill(row, told, isMarked) {
    const [no, group, meters, supply, available, days, level, readAt] = row.children;
    const link = no.firstChild;
    if (link.textContent !== told[NO]) {
      link.textContent = told[NO];
      link.href = `/accounts/${told[NO]}`;
    }
    const set = (cell, text, className) => {
      const marked = isMarked && cell.textContent !== text ? " fresh" : "";
      if (cell.textContent !== text) cell.textContent = text;
      if (cell.className !== className + marked) cell.className = className + marked;
    };
    set(group, told[GROUP], "faint");
    set(meters, told[METERS], "code");
    set(supply.firstChild, `${{ on: "●", off: "○", none: "" }[told[SUPPLY]] ?? "◌"} ${this.words.supply[told[SUPPLY]] ?? ""}`, `state ${told[SUPPLY]}`);
    set(available, money(told[AVAILABLE_MINOR], told[CURRENCY]), told[AVAILABLE_MINOR] < 0 ? "right num below" : "right num");
    set(days, told[DAYS] === null ? "—" : numbers.format(told[DAYS]), "right num");
    set(level.firstChild, told[LEVEL] === "none" ? "" : this.words.levels[told[LEVEL]], told[LEVEL] === "none" ? "" : `tag ${told[LEVEL]}`);
    set(readAt, told[READ_AT], told[IS_STALE] ? "code faint stale" : "code faint");
  }

  /** Remember which rows are out of date; null: all of them. */
  note(accounts) {
    if (accounts === null) this.data.forEach((row) => this.outdated.add(row[NO]));
    else for (const no of accounts) if (this.at.has(no)) this.outdated.add(no);
    this.ask();
  }

  /** Ask for the rows in sight that are out of date, once a second at most. */
  async ask() {
    if (this.isAsking || !this.outdated.size || document.hidden) return;
    const wanted = [...this.shown.keys()].map((index) => this.data[index][NO]).filter((no) => this.outdated.has(no));
    if (!wanted.length) return;
    this.isAsking = true;
    try {
      const answer = await fetch(`/monitor/rows?only=${wanted.join(",")}`, { headers: { Accept: "application/json" } });
      if (answer.ok) {
        for (const told of await answer.json()) {
          const index = this.at.get(told[NO]);
          this.data[index] = told;
          this.outdated.delete(told[NO]);
          const row = this.shown.get(index);
          if (row) this.fill(row, told, true);
        }
      }
    } catch {
      // The dot says that the line is gone; the rows stay out of date until it is back.
    } finally {
      setTimeout(() => {
        this.isAsking = false;
        this.ask();
      }, 1000);
    }
  }
}

customElements.define("live-table", LiveTable);

// <usage-chart>: a year of usage by day and register, to zoom into; the library is loaded here only.

class UsageChart extends HTMLElement {
  async connectedCallback() {
    const words = JSON.parse(this.dataset.words);
    const answer = await fetch(this.getAttribute("src"), { headers: { Accept: "application/json" } });
    const days = await answer.json();
    const registers = [...new Set(days.flatMap(([, used]) => Object.keys(used)))];
    const colour = (name) => getComputedStyle(this).getPropertyValue(name).trim();
    // A canvas knows no light-dark(): the browser is asked which of the two it is.
    const probe = document.createElement("span");
    this.append(probe);
    const resolved = (name) => {
      probe.style.color = `var(${name})`;
      return getComputedStyle(probe).color;
    };
    const palette = { sharp: "--sharp", peak: "--peak", flat: "--flat", valley: "--valley", total: "--flat" };
    const ink = resolved("--faint");
    const line = resolved("--line");
    const colours = registers.map((name) => resolved(palette[name] ?? "--flat"));
    const accent = resolved("--accent");
    probe.remove();
    if (!colour("--flat")) return;
    this.chart = echarts.init(this, null, { renderer: "canvas" });
    this.chart.setOption({
      animation: false,
      color: colours,
      textStyle: { color: ink },
      grid: { left: 56, right: 16, top: 40, bottom: 76 },
      legend: { top: 4, textStyle: { color: ink } },
      tooltip: { trigger: "axis", renderMode: "richText" },
      xAxis: { type: "category", data: days.map(([day]) => day), axisLine: { lineStyle: { color: line } }, axisLabel: { color: ink } },
      yAxis: { type: "value", name: this.dataset.unit, splitLine: { lineStyle: { color: line } }, axisLabel: { color: ink } },
      dataZoom: [{ type: "inside" }, { type: "slider", borderColor: line, textStyle: { color: ink }, handleStyle: { color: accent } }],
      series: registers.map((name) => ({
        name: words[name] ?? name,
        type: "bar",
        stack: "used",
        data: days.map(([, used]) => Number(used[name] ?? 0)),
      })),
    });
    this.setAttribute("data-ready", "");
    new ResizeObserver(() => this.chart.resize()).observe(this);
  }

  disconnectedCallback() {
    this.chart?.dispose();
  }
}

customElements.define("usage-chart", UsageChart);

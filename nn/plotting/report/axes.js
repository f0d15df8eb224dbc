// Scales, ticks and the frame of a chart.

// A function value -> place on the screen, linear or logarithmic.
function scaleOf(low, high, from, to, isLog = false) {
  const [a, b] = isLog ? [Math.log(low), Math.log(high)] : [low, high];
  return (value) => from + (((isLog ? Math.log(value) : value) - a) / (b - a || 1)) * (to - from);
}

// About `count` round values from low to high; `least` is the smallest step.
function ticksOf(low, high, count, least = 0) {
  const rough = (high - low) / count || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(least, [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999));
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.max(0, Math.floor(high / step + 1e-9) - first + 1) }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)));
}

function logTicksOf(low, high) {
  const powers = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) powers.push(power);
  const factors = powers.length > 4 ? [1] : powers.length > 2 ? [1, 3] : [1, 2, 3, 5, 7];
  const ticks = powers.flatMap((power) => factors.map((factor) => Number((factor * 10 ** power).toPrecision(6))));
  const inside = ticks.filter((tick) => tick >= low && tick <= high);
  return inside.length > 1 ? inside : ticksOf(low, high, 4);
}

// The limits of an axis for values, with a margin.
function limitsOf(values, isLog = false) {
  const known = values.filter((value) => isKnown(value) && (!isLog || value > 0));
  if (!known.length) return [0, 1];
  let low = known[0], high = known[0];
  for (const value of known) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (isLog) return low === high ? [low / 2, high * 2] : [low / (high / low) ** 0.04, high * (high / low) ** 0.04];
  const margin = 0.05 * (high - low) || 0.1 * Math.abs(high) || 1;
  return [low >= 0 && low < margin ? 0 : low - margin, high + margin];
}

// The frame of a chart: grid, ticks and their labels. Returns {svg, X, Y, plot: {left, right, top, bottom}}.
function frameOf({ width, height, x, y, right = 22 }) {
  const yTicks = y.isLog ? logTicksOf(y.low, y.high) : ticksOf(y.low, y.high, Math.max(2, Math.round(height / 36)), y.least);
  const labels = yTicks.map(y.format);
  const left = 12 + 6.6 * Math.max(2, ...labels.map((label) => label.length));
  const plot = { left, right: width - right, top: 8, bottom: height - 36 };
  const X = scaleOf(x.low, x.high, plot.left, plot.right), Y = scaleOf(y.low, y.high, plot.bottom, plot.top, y.isLog);
  const xTicks = ticksOf(x.low, x.high, Math.max(2, Math.round((plot.right - plot.left) / 80)), x.least);
  const svg = s("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  yTicks.forEach((tick, i) => svg.append(
    s("line", { class: "grid", x1: plot.left, x2: plot.right, y1: Y(tick), y2: Y(tick) }),
    s("text", { class: "tick", x: plot.left - 7, y: Y(tick) + 4, "text-anchor": "end" }, labels[i])));
  xTicks.forEach((tick) => svg.append(
    s("line", { class: "axis", x1: X(tick), x2: X(tick), y1: plot.bottom, y2: plot.bottom + 4 }),
    s("text", { class: "tick", x: X(tick), y: plot.bottom + 17, "text-anchor": "middle" }, x.format(tick))));
  svg.append(
    s("line", { class: "axis", x1: plot.left, x2: plot.right, y1: plot.bottom, y2: plot.bottom }),
    s("text", { class: "name", x: (plot.left + plot.right) / 2, y: height - 4, "text-anchor": "middle" }, x.name));
  return { svg, X, Y, plot };
}

// The text of ticks: with as many digits as their distance needs.
function tickFormat(low, high, isPercent) {
  const step = (high - low) / 5;
  if (isPercent) {
    const digits = Math.min(3, Math.max(0, -Math.floor(Math.log10(100 * step || 1))));
    return (value) => `${(100 * value).toFixed(digits)} %`;
  }
  return (value) => short(value, 6);
}

// Call a function with the width of an element, now and when it changes.
function onWidth(element, draw) {
  let width = 0;
  new ResizeObserver(() => {
    const next = Math.floor(element.clientWidth);
    if (next && next !== width) draw((width = next));
  }).observe(element);
}

// The box with values beside the pointer. `lines`: [color or null, name, value].
function tooltip(plot) {
  const box = h("div", { class: "tooltip", "aria-hidden": "true" });
  box.hidden = true;
  plot.append(box);
  return (title, lines, x, y) => {
    box.hidden = !lines;
    if (!lines) return;
    box.replaceChildren(h("b", {}, title), ...lines.map(([color, name, value]) =>
      h("div", {}, h("i", { class: "swatch", vars: { "--color": color ?? "transparent" } }), h("span", {}, name), h("span", { class: "number" }, value))));
    const room = plot.clientWidth - box.offsetWidth;
    const left = x + 14 + box.offsetWidth > plot.clientWidth ? x - 14 - box.offsetWidth : x + 14;
    box.style.left = `${Math.max(0, Math.min(left, room))}px`;
    box.style.top = `${Math.max(0, Math.min(y, plot.clientHeight - box.offsetHeight))}px`;
  };
}

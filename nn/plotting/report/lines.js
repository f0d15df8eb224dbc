// A chart of lines over the epochs, with values under the pointer, zoom, and a table of the values.

const HEIGHT = 250;
const MOST_NAMED = 4; // lines that have their name at their end

// `series`: {name, color, dash, epochs, values, rejected: [{epoch, value}]}. `kept`: {epoch, color} marked by a line.
function lineChart({ title, view, series, format, isPercent = false, canBeLog = false, kept = [] }) {
  const plot = h("div", { class: "plot", tabindex: "0", role: "slider", "aria-label": `${title}, epoch`,
    "aria-valuemin": view.first, "aria-valuemax": view.last, "aria-valuenow": view.last, "aria-valuetext": summaryOf(series, format) });
  const legend = h("div", { class: "legend" }), show = tooltip(plot);
  const chart = { view, series, format, isPercent, kept, plot, legend, show, isLog: false, svg: null, epochAt: () => view.last };
  const log = h("button", { type: "button", class: "small", "aria-pressed": "false", click: () => {
    chart.isLog = !chart.isLog;
    log.setAttribute("aria-pressed", String(chart.isLog));
    draw(chart);
  } }, "log scale");
  onWidth(plot, () => draw(chart));
  view.listen((isZoom) => (isZoom ? draw(chart) : point(chart)));
  const epochs = [...new Set(series.flatMap((line) => line.epochs))].sort((a, b) => a - b);
  steer(plot, view, { epochs, epochAt: (x) => chart.epochAt(x), select: (from, to) => select(chart, from, to) });
  const name = h("figcaption", {}, title);
  return h("figure", { class: "chart" }, h("header", {}, name, h("span", { class: "tools" }, canBeLog ? log : null, zoomTools(view, title))),
    legend, plot, valueTable(title, series, epochs, format));
}

function summaryOf(series, format) {
  return series.map((line) => {
    const known = line.values.filter(isKnown);
    return known.length ? `${line.name}: from ${format(known[0])} to ${format(known[known.length - 1])}` : `${line.name}: no finite value`;
  }).join("; ");
}

function draw(chart) {
  const { view, series, plot, kept } = chart, width = Math.floor(plot.clientWidth);
  if (!width) return;
  const visible = series.flatMap((line) => line.values.filter((_, i) => isShown(view, line.epochs[i])));
  const isLog = chart.isLog && visible.some((value) => value > 0), [low, high] = limitsOf(visible, isLog);
  const named = series.length > 1 && series.length <= MOST_NAMED && width >= 480;
  const right = named ? 24 + 6.4 * Math.min(18, Math.max(...series.map((line) => line.name.length))) : 22;
  const frame = frameOf({ width, height: HEIGHT, right,
    x: { low: view.from, high: view.to, least: 1, format: whole, name: "epoch" },
    y: { low, high: chart.isPercent ? Math.min(high, Math.max(1, low + 0.01)) : high, isLog, format: tickFormat(low, high, chart.isPercent) } });
  const { svg, X, Y, plot: area } = frame, clip = `clip-${(draw.count = (draw.count ?? 0) + 1)}`;
  const inside = s("g", { "clip-path": `url(#${clip})` });
  svg.append(s("clipPath", { id: clip }, s("rect", { x: area.left - 5, y: area.top - 4, width: area.right - area.left + 10, height: area.bottom - area.top + 4 })), inside);
  kept.filter((mark) => isShown(view, mark.epoch)).forEach((mark) => inside.append(
    s("line", { class: "kept", x1: X(mark.epoch), x2: X(mark.epoch), y1: area.top, y2: area.bottom, vars: { "--color": mark.color } },
      s("title", {}, `epoch ${mark.epoch}, whose weights are kept`))));
  series.forEach((line) => inside.append(...shapes(line, X, (value) => Y(isLog ? Math.max(value, low) : value), view, area)));
  if (named) nameEnds(svg, series, view, X, Y, area, isLog);
  drawLegend(chart, named);
  chart.svg?.remove();
  chart.frame = { ...frame, low, isLog, cursor: s("g"), selection: s("rect", { class: "selection", y: area.top, height: area.bottom - area.top }) };
  svg.append(chart.frame.selection, chart.frame.cursor);
  chart.svg = svg;
  plot.prepend(svg);
  chart.epochAt = (x) => {
    const place = (x - plot.getBoundingClientRect().left - area.left) / (area.right - area.left);
    return view.from + Math.min(Math.max(place, 0), 1) * (view.to - view.from);
  };
  point(chart);
}

function isShown(view, epoch) {
  return epoch >= view.from - 1e-9 && epoch <= view.to + 1e-9;
}

// The line, dots where there are few epochs, and crosses at rejected steps.
function shapes(line, X, Y, view, area) {
  let path = "", open = false;
  line.epochs.forEach((epoch, i) => {
    const value = line.values[i];
    if (isKnown(value)) path += `${open ? "L" : "M"}${X(epoch).toFixed(1)} ${Y(value).toFixed(1)}`;
    open = isKnown(value);
  });
  const vars = { "--color": line.color };
  const shown = line.epochs.map((epoch, i) => [epoch, line.values[i]]).filter(([epoch, value]) => isShown(view, epoch) && isKnown(value));
  const dots = shown.length > 40 || line.dash ? [] : shown.map(([epoch, value]) => s("circle", { class: "dot", cx: X(epoch), cy: Y(value), r: 2.6, vars }));
  const crosses = (line.rejected ?? []).filter((mark) => isShown(view, mark.epoch) && isKnown(mark.value)).map((mark) => {
    const x = X(mark.epoch), y = Math.min(Math.max(Y(mark.value), area.top), area.bottom);
    return s("path", { class: "cross", d: `M${x - 3} ${y - 3}l6 6m0 -6l-6 6`, vars: { "--color": line.mark } });
  });
  return [s("path", { class: line.dash ? "line dashed" : "line", d: path, vars }), ...dots, ...crosses];
}

// Names at the ends of the lines, moved apart where they would cover each other.
function nameEnds(svg, series, view, X, Y, area, isLog) {
  const ends = series.map((line) => {
    const last = line.values.findLastIndex((value, i) => isKnown(value) && (!isLog || value > 0) && isShown(view, line.epochs[i]));
    return last < 0 ? null : { line, y: Math.min(Math.max(Y(line.values[last]), area.top + 4), area.bottom) };
  }).filter(Boolean).sort((a, b) => a.y - b.y);
  ends.forEach((end, i) => (end.y = Math.max(end.y, i ? ends[i - 1].y + 14 : end.y)));
  const over = ends.length ? Math.max(0, ends[ends.length - 1].y - area.bottom) : 0;
  ends.forEach((end) => svg.append(s("text", { class: "end", x: area.right + 8, y: end.y - over + 4, vars: { "--color": end.line.color } }, cut(end.line.name, 18))));
}

function cut(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

function drawLegend(chart, named) {
  const hasCrosses = chart.series.some((line) => line.rejected?.length);
  const lines = named || chart.series.length < 2 ? [] : chart.series;
  chart.legend.replaceChildren(
    ...lines.map((line) => h("span", {}, h("i", { class: line.dash ? "sample dashed" : "sample", vars: { "--color": line.color } }), line.name)),
    hasCrosses ? h("span", {}, h("i", { class: "cross-sample", vars: { "--color": chart.series[0].mark } }, "×"), "step that was rejected") : "",
    chart.kept.length ? h("span", {}, h("i", { class: "kept-sample" }), "epoch whose weights are kept") : "");
}

// Show the values at the cursor: dots on the lines, the tooltip, and the text for screen readers.
function point({ view, series, format, frame, plot, show }) {
  if (!frame) return;
  const { X, Y, plot: area, cursor, isLog } = frame, epoch = view.cursor;
  cursor.replaceChildren();
  if (epoch === null || !isShown(view, epoch)) return show();
  const lines = series.map((line) => ({ line, value: line.values[line.epochs.indexOf(epoch)] ?? null }));
  cursor.append(s("line", { class: "cursor", x1: X(epoch), x2: X(epoch), y1: area.top, y2: area.bottom }),
    ...lines.filter(({ value }) => isKnown(value) && (!isLog || value > 0)).map(({ line, value }) =>
      s("circle", { class: "point", cx: X(epoch), cy: Math.max(Y(value), area.top), r: 4, vars: { "--color": line.color } })));
  const texts = lines.filter(({ line }) => line.epochs.includes(epoch)).map(({ line, value }) => {
    const rejected = line.rejected?.find((mark) => mark.epoch === epoch);
    return [line.color, line.name, (isKnown(value) ? format(value) : "not finite") + (rejected ? ` (rejected: ${format(rejected.value)})` : "")];
  });
  if (view.active !== plot) return show();
  show(`epoch ${whole(epoch)}`, texts, X(epoch), 6);
  plot.setAttribute("aria-valuenow", epoch);
  plot.setAttribute("aria-valuetext", `epoch ${epoch}: ${texts.map(([, name, value]) => `${name} ${value}`).join(", ")}`);
}

function select({ frame, plot }, from, to) {
  const left = plot.getBoundingClientRect().left;
  frame.selection.setAttribute("x", from === null ? 0 : Math.min(from, to) - left);
  frame.selection.setAttribute("width", from === null ? 0 : Math.abs(to - from));
}

// All values as a table, filled when it is opened; of many epochs, about a hundred.
function valueTable(title, series, epochs, format) {
  const details = h("details", { class: "values", toggle: () => {
    if (!details.open || details.children.length > 1) return;
    const step = Math.ceil(epochs.length / 100), shown = epochs.filter((_, i) => i % step === 0 || i === epochs.length - 1);
    const rows = shown.map((epoch) => [whole(epoch), ...series.map((line) => {
      const value = line.values[line.epochs.indexOf(epoch)];
      return isKnown(value) ? format(value) : "";
    })]);
    details.append(table(["epoch", ...series.map((line) => ({ text: line.name, number: true }))], rows, {}, title));
  } }, h("summary", {}, "Values as a table"));
  return details;
}

// Charts of points and of counts: values under the pointer, and by the arrow keys.

// `points`: {x, y, r, title, lines: [[name, value]]}. `guide`: "diagonal" or "zero". `joined`: a line through the points.
function pointChart({ title, xName, yName, points, guide, format, height = 300, limits = null, joined = false }) {
  const order = points.map((_, i) => i).sort((a, b) => points[a].x - points[b].x);
  const plot = h("div", { class: "plot", tabindex: "0", role: "slider", "aria-label": `${title}, point`, "aria-valuemin": "1",
    "aria-valuemax": points.length, "aria-valuenow": "1", "aria-valuetext": `${counted(points.length, "point")}: use the arrow keys` });
  const show = tooltip(plot);
  let frame = null, at = null;
  const mark = (place) => {
    if (!frame) return; // before it is drawn
    at = place;
    frame.cursor.replaceChildren();
    if (place === null) return show();
    const point = points[order[place]];
    frame.cursor.append(s("circle", { class: "point", cx: frame.X(point.x), cy: frame.Y(point.y), r: (point.r ?? 3) + 2 }));
    show(point.title, point.lines.map(([name, value]) => [null, name, value]), frame.X(point.x), frame.Y(point.y) - 20);
    plot.setAttribute("aria-valuenow", place + 1);
    plot.setAttribute("aria-valuetext", [point.title, ...point.lines.map((line) => line.join(" "))].join(", "));
  };
  onWidth(plot, (width) => {
    frame = drawPoints({ width, height, points, xName, yName, guide, format, limits, joined });
    plot.querySelector("svg")?.remove();
    plot.prepend(frame.svg);
    mark(at);
  });
  plot.addEventListener("pointermove", (event) => {
    if (!frame) return;
    const box = plot.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    const far = (i) => Math.hypot(frame.X(points[i].x) - x, frame.Y(points[i].y) - y);
    const best = order.reduce((place, i, next) => (far(i) < far(order[place]) ? next : place), 0);
    mark(points.length && far(order[best]) < 60 ? best : null);
  });
  ["pointerleave", "blur"].forEach((name) => plot.addEventListener(name, () => mark(null)));
  plot.addEventListener("keydown", (event) => {
    const last = points.length - 1;
    const moves = { ArrowLeft: (at ?? 0) - 1, ArrowRight: (at ?? -1) + 1, PageUp: (at ?? 0) - 20, PageDown: (at ?? 0) + 20, Home: 0, End: last };
    if (!(event.key in moves) || !points.length) return;
    event.preventDefault();
    mark(Math.min(Math.max(moves[event.key], 0), last));
  });
  return h("figure", { class: "chart" }, h("header", {}, h("figcaption", {}, title)), plot);
}

function drawPoints({ width, height, points, xName, yName, guide, format, limits, joined }) {
  const xs = points.map((point) => point.x), ys = points.map((point) => point.y);
  const [low, high] = limits ?? limitsOf(guide === "diagonal" ? [...xs, ...ys] : xs);
  const [bottom, top] = guide === "diagonal" ? [low, high] : limitsOf([...ys, 0]);
  const frame = frameOf({ width, height,
    x: { low, high, format, name: xName }, y: { low: bottom, high: top, format } });
  const { svg, X, Y, plot } = frame;
  const [y1, y2] = guide === "diagonal" ? [Y(low), Y(high)] : [Y(0), Y(0)];
  svg.append(s("line", { class: "guide", x1: plot.left, x2: plot.right, y1, y2 }));
  if (joined) svg.append(s("path", { class: "line", d: points.map((point, i) => `${i ? "L" : "M"}${X(point.x)} ${Y(point.y)}`).join("") }));
  const dense = points.length > 200 ? "spot dense" : "spot";
  points.forEach((point) => svg.append(s("circle", { class: dense, cx: X(point.x), cy: Y(point.y), r: point.r ?? (points.length > 200 ? 2.4 : 3.5) })));
  svg.append(s("text", { class: "name", x: plot.left, y: plot.top + 4, dx: 6, dy: 6 }, yName));
  return { ...frame, cursor: svg.appendChild(s("g")) };
}

// How often values lie in each of some 30 ranges of the same width.
function histogram({ title, values, name, format }) {
  const [low, high] = limitsOf(values), count = Math.min(40, Math.max(8, Math.round(Math.sqrt(values.length) * 1.5)));
  const bins = new Array(count).fill(0);
  values.forEach((value) => bins[Math.min(count - 1, Math.floor(((value - low) / (high - low)) * count))]++);
  const edge = (i) => low + ((high - low) * i) / count;
  const plot = h("div", { class: "plot", role: "img", "aria-label": `${title}: ${counted(values.length, "row")}, from ${format(low)} to ${format(high)}` });
  const show = tooltip(plot);
  onWidth(plot, (width) => {
    const frame = frameOf({ width, height: 220, x: { low, high, format, name }, y: { low: 0, high: Math.max(...bins) * 1.05, least: 1, format: whole } });
    bins.forEach((rows, i) => {
      const x = frame.X(edge(i)), bar = s("rect", { class: "bin", x: x + 0.5, width: Math.max(1, frame.X(edge(i + 1)) - x - 1),
        y: frame.Y(rows), height: frame.plot.bottom - frame.Y(rows) });
      const area = s("rect", { class: "hit", x, width: frame.X(edge(i + 1)) - x, y: frame.plot.top, height: frame.plot.bottom - frame.plot.top,
        pointerenter: () => show(`${format(edge(i))} to ${format(edge(i + 1))}`, [[null, "test rows", whole(rows)]], x, 10), pointerleave: () => show() });
      frame.svg.append(bar, area);
    });
    plot.querySelector("svg")?.remove();
    plot.prepend(frame.svg);
  });
  return h("figure", { class: "chart" }, h("header", {}, h("figcaption", {}, title)), plot);
}

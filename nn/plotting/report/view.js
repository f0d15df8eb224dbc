// What the charts over epochs share: the epochs in view, and the epoch under the pointer.

function epochView(first, last) {
  const listeners = [];
  const view = {
    first, last, from: first, to: last, cursor: null,
    active: null, // the chart with the pointer or the keyboard's focus
    listen: (listener) => listeners.push(listener),
    change(values) {
      const isZoom = "from" in values;
      Object.assign(view, values);
      listeners.forEach((listener) => listener(isZoom));
    },
    get isZoomed() {
      return view.from > first || view.to < last;
    },
    show(from, to) {
      if (to - from < 1) to = from + 1;
      view.change({ from: Math.max(first, from), to: Math.min(Math.max(last, first + 1), to) });
    },
    zoom(factor) {
      const middle = view.cursor ?? (view.from + view.to) / 2, width = (view.to - view.from) * factor;
      const from = Math.max(first, middle - (middle - view.from) * factor);
      view.show(from, Math.max(from + width, from + Math.min(2, last - first)));
    },
    reset: () => view.show(first, last),
  };
  return view;
}

// The buttons that zoom, for those who do not drag.
function zoomTools(view, name) {
  const button = (text, label, action) =>
    h("button", { type: "button", class: "small", "aria-label": `${label}: ${name}`, title: label, click: action }, text);
  const reset = button("Reset", "Show all epochs", view.reset);
  const update = () => (reset.hidden = !view.isZoomed);
  view.listen(update);
  update();
  return [reset, button("−", "Zoom out", () => view.zoom(2)), button("+", "Zoom in", () => view.zoom(0.5))];
}

// Let an element with a plot move the cursor and the zoom of a view, by pointer and by keyboard.
// `epochAt` gives the epoch at a place on the screen; `epochs` those that have values; `select` shows a range.
function steer(plot, view, { epochAt, epochs, select }) {
  let start = null;
  const nearest = (epoch) => epochs.reduce((best, one) => (Math.abs(one - epoch) < Math.abs(best - epoch) ? one : best));
  const point = (event) => view.change({ cursor: nearest(epochAt(event.clientX)), active: plot });
  plot.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && event.button === 0) start = event.clientX;
    point(event);
  });
  plot.addEventListener("pointermove", (event) => {
    point(event);
    if (start !== null) select(start, event.clientX);
  });
  addEventListener("pointerup", (event) => {
    if (start === null) return;
    const [from, to] = [start, event.clientX].map(epochAt).sort((a, b) => a - b);
    if (Math.abs(event.clientX - start) > 8) view.show(from, to);
    start = null;
    select(null);
  });
  const leave = () => view.change({ cursor: null, active: null });
  plot.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && !plot.matches(":focus-visible") && leave());
  plot.addEventListener("blur", leave);
  plot.addEventListener("dblclick", view.reset);
  plot.addEventListener("keydown", (event) => keys(event, view, plot, epochs));
}

function keys(event, view, plot, epochs) {
  const shown = epochs.filter((epoch) => epoch >= view.from && epoch <= view.to);
  const at = shown.indexOf(view.cursor), last = shown.length - 1;
  const moves = { ArrowLeft: at < 0 ? last : at - 1, ArrowRight: at + 1, PageUp: at - 10, PageDown: at + 10, Home: 0, End: last };
  const zooms = { "+": () => view.zoom(0.5), "=": () => view.zoom(0.5), "-": () => view.zoom(2), 0: view.reset, Escape: view.reset };
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key in moves && shown.length) {
    view.change({ cursor: shown[Math.min(Math.max(moves[event.key], 0), last)], active: plot });
  } else if (event.key in zooms) zooms[event.key]();
  else return;
  event.preventDefault();
}

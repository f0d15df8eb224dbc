// A canvas to draw on, and the answer of the network to the image that the strokes make.

const PAPER = 280; // pixels of the canvas
let showToNetwork = () => {}; // (run, index of an example)

function drawSection(run) {
  const { live } = run.network, side = Math.round(Math.sqrt(live.shape.reduce((product, size) => product * size, 1)));
  const pad = h("canvas", { class: "pad", width: PAPER, height: PAPER, tabindex: "0", role: "application", "aria-describedby": "draw-help",
    "aria-label": "Drawing area" });
  const seen = h("div", { class: "seen" }), result = answerBox();
  const state = { strokes: [], image: null, pen: { x: 0.5, y: 0.5 }, isDown: false, waiting: false, network: null };
  const rows = run.examples?.images;
  // Of a test row, levels from 0 to 255 stand for the values from low to high; a drawing has the same range.
  const { low, high, whole: areWhole } = rows ?? { low: 0, high: live.scale, whole: live.scale > 1 };
  const show = (levels, began) => {
    seen.replaceChildren(picture(levels, [side, side], { "aria-label": `The image that the network gets, ${side} by ${side} pixels` }));
    const values = Float32Array.from(levels, (level) => {
      const value = low + level / 255 * (high - low);
      return areWhole ? Math.round(value) : value;
    });
    result.show(answer(state.network, encode(state.network, run.network.columns, values)), run, began);
  };
  const update = (began = performance.now()) => {
    paint(pad, state);
    if (!state.network || state.waiting) return;
    state.waiting = true;
    requestAnimationFrame(() => {
      state.waiting = false;
      if (state.strokes.length) show(imageOf(state.strokes, side).map((value) => value * 255), began);
      else clear();
    });
  };
  const clear = () => {
    state.strokes = [];
    state.image = null;
    paint(pad, state);
    seen.replaceChildren(picture(new Uint8Array(side * side), [side, side], { "aria-label": "empty image" }));
    result.clear();
  };
  let next = 0;
  showToNetwork = (_, i) => {
    const began = performance.now(), levels = levelsOf(rows, i);
    clear();
    state.image = picture(levels, [side, side]);
    paint(pad, state);
    next = (i + 1) % rows.labels.length;
    show(levels, began);
    result.note(`Test row${rows.rows ? ` ${whole(rows.rows[i])}` : ""}: its class is ${nameOf(run, rows.labels[i])}.`);
    document.getElementById("try").scrollIntoView({ block: "start" });
  };
  unpack(live).then((network) => {
    state.network = network;
    clear();
    pad.dataset.ready = "true";
  }).catch((error) => result.say(`This browser cannot unpack the network: ${error.message}`));
  listen(pad, state, update, clear);
  const canShowRows = rows && rows.shape.length === 2;
  return section("try", "Draw for the network", "The network runs in this page. Drawings are scaled and centered as MNIST’s digits are.", h("div", { class: "try" },
    h("div", {}, pad, h("div", { class: "choices" }, h("button", { type: "button", click: clear }, "Clear"),
      canShowRows ? h("button", { type: "button", click: () => showToNetwork(run, next) }, "Show a test row") : null)),
    h("div", {}, h("h3", {}, "It sees"), seen), result.element),
  h("p", { id: "draw-help", class: "about" }, "By keyboard: the arrow keys move the pen, the space bar puts it down or lifts it, Delete clears."));
}

function paint(pad, { strokes, image, pen, isDown }) {
  const context = pad.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, PAPER, PAPER);
  context.imageSmoothingEnabled = false;
  if (image) context.drawImage(image, 0, 0, PAPER, PAPER);
  Object.assign(context, { lineWidth: 18, lineCap: "round", lineJoin: "round", strokeStyle: "#12212f" });
  for (const stroke of strokes) {
    context.beginPath();
    stroke.forEach(({ x, y }, i) => (i ? context.lineTo(x * PAPER, y * PAPER) : context.moveTo(x * PAPER, y * PAPER)));
    if (stroke.length === 1) context.lineTo(stroke[0].x * PAPER, stroke[0].y * PAPER);
    context.stroke();
  }
  if (document.activeElement !== pad || !pad.matches(":focus-visible")) return;
  context.beginPath();
  context.arc(pen.x * PAPER, pen.y * PAPER, 9, 0, 7);
  Object.assign(context, { lineWidth: 2, strokeStyle: "#c2410c", fillStyle: isDown ? "#c2410c" : "transparent" });
  context.fill();
  context.stroke();
}

function listen(pad, state, update, clear) {
  const place = (event) => {
    const box = pad.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  };
  let drawing = false;
  pad.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    drawing = true;
    state.image = null;
    pad.setPointerCapture(event.pointerId);
    state.strokes.push([place(event)]);
    update();
  });
  pad.addEventListener("pointermove", (event) => {
    if (!drawing) return;
    const events = event.getCoalescedEvents?.() ?? [];
    state.strokes[state.strokes.length - 1].push(...(events.length ? events : [event]).map(place));
    update();
  });
  ["pointerup", "pointercancel"].forEach((name) => pad.addEventListener(name, () => (drawing = false)));
  ["focus", "blur"].forEach((name) => pad.addEventListener(name, () => paint(pad, state)));
  pad.addEventListener("keydown", (event) => {
    const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (x || y) {
      state.pen = { x: Math.min(1, Math.max(0, state.pen.x + x / 28)), y: Math.min(1, Math.max(0, state.pen.y + y / 28)) };
      if (state.isDown) state.strokes[state.strokes.length - 1].push(state.pen);
    } else if (event.key === " ") {
      state.isDown = !state.isDown;
      state.image = null;
      if (state.isDown) state.strokes.push([state.pen]);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      state.isDown = false;
      return clear();
    } else return;
    event.preventDefault();
    update();
  });
}

const MOST_BARS = 12;

// The answer: the class with bars of the probabilities, or the value; and how long the page took.
function answerBox() {
  const line = h("p", { class: "answer", role: "status", "aria-live": "polite" }, "Draw something."), bars = h("ol", { class: "bars" });
  const time = h("p", { class: "about" });
  const element = h("div", { class: "result" }, h("h3", {}, "It answers"), line, bars, time);
  return {
    element,
    show({ value, probabilities: shares, best }, run, began) {
      if (shares) {
        line.replaceChildren(h("b", {}, nameOf(run, best)), ` ${percent(shares[best], 1)}`);
        line.classList.toggle("long", nameOf(run, best).length > 10);
        const order = shares.map((_, i) => i);
        const shown = shares.length > MOST_BARS ? order.sort((a, b) => shares[b] - shares[a]).slice(0, 10) : order;
        bars.replaceChildren(...shown.map((i) => h("li", { class: i === best ? "best" : null }, h("span", {}, cut(nameOf(run, i), 14)),
          h("i", { class: "bar", vars: { "--share": shares[i] } }), h("span", { class: "number" }, percent(shares[i], 1)))));
      } else line.replaceChildren(h("b", {}, short(value, 6)));
      element.dataset.milliseconds = performance.now() - began;
      time.textContent = `Answered in ${duration((performance.now() - began) / 1000)}.`;
    },
    note: (text) => (time.textContent = `${text} ${time.textContent}`),
    say(text) {
      line.textContent = text;
      bars.replaceChildren();
      time.textContent = "";
    },
    clear() {
      this.say("Draw something.");
    },
  };
}

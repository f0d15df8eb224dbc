// Elements and formatted values. All text is set as text, never as HTML.

const SVG = "http://www.w3.org/2000/svg";

// An HTML element. Attributes: a function listens to an event, `vars` sets properties of the style, null leaves out.
function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function s(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "vars") Object.entries(value).forEach(([key, entry]) => element.style.setProperty(key, entry));
    else if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

// A section of the page with its heading, and a line about it.
function section(id, title, about, ...children) {
  return h("section", { id, "aria-labelledby": `${id}-title` },
    h("h2", { id: `${id}-title` }, title), about ? h("p", { class: "about" }, about) : null, ...children);
}

function leftOut(title, reason) {
  return h("p", { class: "left-out" }, h("b", {}, `${title}: `), reason);
}

// A table. `head`: texts, or {text, number: true}; rows of texts or elements.
function table(head, rows, attributes = {}, caption = null) {
  const isNumber = head.map((cell) => cell.number);
  const cells = (row) => row.map((cell, i) => i === 0
    ? h("th", { scope: "row" }, cell ?? "") : h("td", { class: isNumber[i] ? "number" : null }, cell ?? ""));
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": caption ?? "table" },
    h("table", attributes, caption ? h("caption", { class: "hidden" }, caption) : null,
      h("thead", {}, h("tr", {}, head.map((cell) =>
        h("th", { scope: "col", class: cell.number ? "number" : null }, cell.text ?? cell)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, cells(row))))));
}

const isKnown = (value) => value !== null && value !== undefined;
const percent = (share, digits = 2) => (isKnown(share) ? `${(100 * share).toFixed(digits)} %` : "–");
const whole = (number) => (isKnown(number) ? Math.round(number).toLocaleString("en-US") : "–");
const counted = (number, noun) => `${whole(number)} ${noun}${number === 1 ? "" : "s"}`;

// Four digits: 0.1023, 12,350, 1.2e-5.
function short(number, digits = 4) {
  if (!isKnown(number)) return "–";
  const size = Math.abs(number);
  if (size >= 1e6 || (size > 0 && size < 1e-4)) return number.toExponential(digits - 1).replace(/\.?0+e/, "e");
  if (size >= 1000) return Number(number.toPrecision(digits)).toLocaleString("en-US", { maximumFractionDigits: 6 });
  return String(Number(number.toPrecision(digits)));
}

function duration(seconds) {
  if (!isKnown(seconds)) return "–";
  if (seconds < 1) return `${short(1000 * seconds, 3)} ms`;
  if (seconds < 60) return `${short(seconds, 3)} s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  const rest = Math.round(seconds) % 60;
  return minutes < 60 ? `${minutes} min ${rest} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

// A picture of the levels (0 to 255) of gray or color: dark on light, as the digits are in print.
function picture(levels, shape, attributes = {}) {
  const [height, width, channels = 1] = shape;
  const canvas = h("canvas", { width, height, role: "img", ...attributes });
  const image = canvas.getContext("2d").createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let channel = 0; channel < 3; channel++) {
      image.data[4 * i + channel] = channels === 3 ? levels[3 * i + channel] : 255 - levels[i];
    }
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

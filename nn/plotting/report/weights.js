// The layers of the network, its weights as pictures, and its columns with what it does to them.

function networkSection(run) {
  const { network } = run;
  if (!network) return run.missing.network ? section("network", "Network", null, leftOut("Network", run.missing.network)) : null;
  const rows = network.layers.map((layer, i) => [String(i + 1), layer.word, layer.output ? layer.output.map(whole).join(" × ") : "–", layer.parameters ? whole(layer.parameters) : "–"]);
  return section("network", "Network", null, h("div", { class: "columns" },
    h("div", {}, h("h3", {}, "Layers"), table(["", "Layer", { text: "Output", number: true }, { text: "Parameters", number: true }], [...rows, ["", "total", "", whole(network.parameters)]], { class: "layers" }, "Layers")),
    run.weights ? weightPictures(run.weights) : leftOut("Weights as pictures", run.missing.weights)));
}

const NEGATIVE = [31, 111, 235], POSITIVE = [224, 112, 20]; // blue and orange, which all kinds of color vision tell apart

function weightPictures({ noun, channels, shape, units, count, limit, data }) {
  const levels = new Int8Array(bytesOf(data).buffer), size = levels.length / count, [height, width] = shape;
  const tiles = Array.from({ length: count }, (_, unit) => {
    const canvas = h("canvas", { width, height, role: "img", title: `${noun} ${unit}`, "aria-label": `weights of ${noun} ${unit}` });
    const image = canvas.getContext("2d").createImageData(width, height);
    for (let i = 0; i < size; i++) {
      const level = levels[unit * size + i];
      image.data.set([...(level < 0 ? NEGATIVE : POSITIVE), Math.round((255 * Math.abs(level)) / 127)], 4 * i);
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
    return h("li", {}, canvas);
  });
  const which = count < units ? `The first ${whole(count)} of ${counted(units, noun)}` : `All ${counted(units, noun)}`;
  return h("div", {}, h("h3", {}, "Weights of the first layer"),
    h("p", { class: "about" }, `${which}${channels ? `, ${channels}` : ""}. `, h("span", { class: "key" }, h("i", { class: "negative" }), `−${short(limit, 2)}`, h("i", { class: "positive" }), `+${short(limit, 2)}`)),
    h("ul", { class: `weights${Math.max(height, width) < 12 ? " fine" : ""}` }, tiles));
}

const MOST_VALUES = 6;

function columnsSection(run) {
  const columns = run.network?.columns;
  if (!columns) return null;
  const shown = columns.slice(0, 500), { columns: count, inputs } = run.network.table;
  const rows = shown.map((column, i) => [columnName(column.name, i), column.kind, column.kind === "number" ? numberText(column) : categoryText(column), missingText(column), whole(widthOf(column))]);
  const about = `${counted(count, "column")} of the table become ${counted(inputs, "input")} of the network. The model file holds this, and does it to the rows that it predicts.`;
  return section("columns", "Columns", about, h("div", { class: "tall" }, table(["Column", "Kind", "Becomes", "Missing value", { text: "Inputs", number: true }], rows, { class: "wide" }, "Columns")),
    shown.length < count ? h("p", { class: "left-out" }, `The first ${whole(shown.length)} columns are shown.`) : null);
}

// The name of a column; x0, x1, ... of columns without names, as examples.csv calls them.
function columnName(name, index) {
  return name === String(index) ? `x${index}` : name;
}

function widthOf(column) {
  return (column.kind === "number" ? 1 : column.values.length + column.other) + column.indicator;
}

function numberText({ offset, center, scale }) {
  const shift = offset + center;
  const value = shift ? `(value ${shift < 0 ? "+" : "−"} ${short(Math.abs(shift), 6)})` : "value";
  return scale === 1 ? value : `${value} / ${short(scale, 6)}`;
}

function categoryText({ values, other }) {
  const rest = values.length > MOST_VALUES ? [h("details", {}, h("summary", {}, `all ${whole(values.length)}`), values.join(", "))] : [];
  const unknown = other ? "; other values share one more" : "; other values are an error";
  return h("span", {}, `an input for each of: ${values.slice(0, MOST_VALUES).map((value) => cut(value, 24)).join(", ")}${rest.length ? ", …" : ""}${unknown}`, ...rest);
}

function missingText(column) {
  if (column.fill === null || column.fill === false) return "is an error";
  const filled = column.kind === "category" ? "gives zeros" : `becomes ${short(column.offset + column.fill, 6)}`;
  return column.indicator ? `${filled}, and sets an input of its own` : filled;
}

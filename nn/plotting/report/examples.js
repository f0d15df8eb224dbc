// Test rows: pictures where the inputs are images, a table where they are columns.

function exampleIndices(run) {
  const count = run.examples?.images?.labels.length ?? run.examples?.table?.rows.length ?? 0;
  return Array.from({ length: count }, (_, i) => i);
}

function isPair(run, i, truth, prediction) {
  const { images, table: rows } = run.examples;
  if (images) return images.labels[i] === truth && images.predictions[i] === prediction;
  const [label, predicted] = rows.pairs[i] ?? [];
  return isClass(run, label, truth) && isClass(run, predicted, prediction);
}

function isClass(run, label, code) {
  return label === code || (typeof label === "string" && (label === String(code) || label === nameOf(run, code)));
}

function isWrong(run, i) {
  const { images, table: rows } = run.examples;
  return images ? images.labels[i] !== images.predictions[i] : rows.pairs[i] ? String(rows.pairs[i][0]) !== String(rows.pairs[i][1]) : true;
}

function examplesView(run, indices) {
  if (!indices.length) return "";
  return run.examples.images ? h("ul", { class: "gallery" }, indices.map((i) => tile(run, i))) : exampleTable(run, indices);
}

function levelsOf(images, i) {
  const bytes = (images.bytes ??= bytesOf(images.data)), size = bytes.length / images.labels.length;
  return bytes.subarray(i * size, (i + 1) * size);
}

function tile(run, i) {
  const { images } = run.examples, wrong = isWrong(run, i);
  const truth = nameOf(run, images.labels[i]), prediction = nameOf(run, images.predictions[i]), probability = images.probabilities[i];
  const row = images.rows ? `row ${whole(images.rows[i])}` : `example ${i + 1}`;
  const sure = isKnown(probability) && probability >= 0 && probability <= 1 ? percent(probability, 0) : "";
  const text = wrong ? `${row}: ${truth}, predicted ${prediction} ${sure}` : `${row}: ${truth}, predicted correctly ${sure}`;
  const image = picture(levelsOf(images, i), images.shape, { "aria-label": text });
  const isLive = run.network?.live?.inputs === "image" && images.shape.length === 2;
  return h("li", { class: wrong ? "wrong" : "right" },
    isLive ? h("button", { type: "button", title: `${text}. Show it to the network`, "aria-label": `${text}. Show it to the network`, click: () => showToNetwork(run, i) }, image) : h("span", { title: text }, image),
    h("span", { class: "caption" }, h("span", {}, wrong ? `${cut(truth, 9)} → ${cut(prediction, 9)}` : cut(truth, 12)), h("small", {}, sure)));
}

function exampleTable(run, indices) {
  const { header: names, rows, columns } = run.examples.table;
  const isLive = run.network?.live?.inputs === "form", isRegression = run.task === "regression";
  const head = [...names.map((name, i) => ({ text: name, number: (isRegression || (i !== 1 && i !== 2)) && rows.every((row) => row[i] === "" || !Number.isNaN(Number(row[i]))) })), ...(isLive ? [""] : [])];
  const shown = (text, i) => (i > 0 && head[i].number && /[.e]/.test(text) ? short(Number(text), 6) : text); // 50.0 is 50
  const body = indices.map((i) => [...rows[i].slice(0, names.length).map(shown), ...(isLive ? [h("button", { type: "button", class: "small", click: () => fillForm(run, i) }, "try")] : [])]);
  const more = columns > names.length - 4 ? h("p", { class: "left-out" }, `The first ${whole(names.length - 4)} of ${whole(columns)} columns are shown.`) : null;
  return h("div", { class: "tall" }, table(head, body, { class: "rows" }, "Test rows"), more);
}

function gallery(run) {
  if (!run.examples) return run.missing.examples ? section("examples", "Examples", null, leftOut("Examples", run.missing.examples)) : null;
  const all = exampleIndices(run), isRegression = run.task === "regression", wrong = isRegression ? all : all.filter((i) => isWrong(run, i));
  const place = h("div", {});
  const show = (indices) => place.replaceChildren(examplesView(run, indices) || h("p", {}, "There are none."));
  show(all);
  if (isRegression) return section("examples", "Examples", `${counted(all.length, "test row")} of examples.csv, those with the largest errors first.`, place);
  const choices = [["All", all], ["Mistakes", wrong], ["Correct", all.filter((i) => !isWrong(run, i))]];
  const buttons = choices.map(([name, indices], i) => h("button", { type: "button", class: "choice", "aria-pressed": String(i === 0), click: (event) => {
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(button === event.currentTarget)));
    show(indices);
  } }, `${name} (${indices.length})`));
  const errors = run.test.errors ?? (run.confusion ? run.confusion.rows - run.confusion.right : null);
  const about = `${whole(wrong.length)} ${isKnown(errors) ? `of the ${whole(errors)} mistakes` : "mistakes"} and ${counted(all.length - wrong.length, "correct prediction")} from examples.csv.`;
  return section("examples", "Gallery of mistakes", `${about} The percentage is the probability that the network gave its prediction.`,
    h("div", { class: "choices", role: "group", "aria-label": "Which test rows" }, buttons), place);
}

// The confusion matrix, whose cells show the rows behind them, the scores of the classes, the reliability diagram.

function testRows(run) {
  const { confusion } = run;
  if (!confusion && !run.scores) return run.missing.confusion ? section("test", "Test rows", null, leftOut("Confusion matrix", run.missing.confusion)) : null;
  const panel = h("div", { class: "panel", id: "behind", role: "region", "aria-live": "polite", "aria-label": "Rows behind a cell" });
  const open = (truth, prediction) => panel.replaceChildren(...behind(run, truth, prediction));
  const first = confusion?.mistakes[0];
  if (first) open(first[0], first[1]);
  const right = confusion ? `${whole(confusion.right)} of ${whole(confusion.rows)} test rows are predicted correctly. Choose a cell to see rows behind it.` : null;
  return section("test", "Test rows by class", right,
    confusion ? h("div", { class: "beside" }, confusion.counts ? matrix(run, open) : mistakeList(run, open), panel) : leftOut("Confusion matrix", run.missing.confusion),
    h("div", { class: "columns" }, classScores(run), reliability(run)));
}

function nameOf(run, code) {
  return run.classes[code] ?? String(code);
}

// The cells are one stop of the tab key; the arrow keys move among them.
function matrix(run, open) {
  const { counts, truths, mistakes } = run.confusion, k = counts.length;
  const buttons = counts.map((row, truth) => row.map((rows, prediction) => {
    const share = truths[truth] ? rows / truths[truth] : 0, isRight = truth === prediction;
    const text = `true class ${nameOf(run, truth)}, predicted ${nameOf(run, prediction)}: ${counted(rows, "row")}`;
    return h("button", { type: "button", tabindex: "-1", title: text, "aria-label": text, "aria-pressed": "false",
      class: `cell ${isRight ? "right" : "wrong"}${Math.sqrt(share) > 0.6 ? " dark" : ""}`, vars: { "--share": Math.sqrt(share) },
      click: () => choose(truth, prediction), keydown: (event) => move(event, truth, prediction) }, rows || "");
  }));
  const focus = (truth, prediction) => {
    buttons.flat().forEach((button) => button.setAttribute("tabindex", "-1"));
    buttons[truth][prediction].setAttribute("tabindex", "0");
  };
  const choose = (truth, prediction) => {
    buttons.flat().forEach((button) => button.setAttribute("aria-pressed", "false"));
    buttons[truth][prediction].setAttribute("aria-pressed", "true");
    focus(truth, prediction);
    open(truth, prediction);
  };
  const move = (event, truth, prediction) => {
    const [down, along] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [0, 0];
    if (!down && !along) return;
    event.preventDefault();
    const to = [Math.min(Math.max(truth + down, 0), k - 1), Math.min(Math.max(prediction + along, 0), k - 1)];
    focus(...to);
    buttons[to[0]][to[1]].focus();
  };
  const [truth, prediction] = mistakes[0] ?? [0, 0];
  buttons[truth][prediction].setAttribute("tabindex", "0");
  if (mistakes.length) buttons[truth][prediction].setAttribute("aria-pressed", "true");
  return h("div", { class: "scroll" }, h("table", { class: `matrix${k > 14 ? " small" : ""}` },
    h("caption", { class: "hidden" }, "Confusion matrix"),
    h("thead", {}, h("tr", {}, h("td", {}), counts.map((_, code) => h("th", { scope: "col", title: nameOf(run, code) }, cut(nameOf(run, code), 10))))),
    h("tbody", {}, buttons.map((row, code) => h("tr", {}, h("th", { scope: "row", title: nameOf(run, code) }, cut(nameOf(run, code), 14)), row.map((button) => h("td", {}, button)))))),
  h("p", { class: "about key-line" }, "Rows: true class. Columns: predicted class. Shade: share of the true class’s rows, as a square root."));
}

function mistakeList(run, open) {
  const { mistakes, pairs, classes } = run.confusion;
  const rows = mistakes.map(([truth, prediction, count]) => [nameOf(run, truth), nameOf(run, prediction), whole(count),
    h("button", { type: "button", class: "small", click: () => open(truth, prediction) }, "show rows")]);
  const about = `${whole(classes)} classes: too many for a matrix. ${mistakes.length < pairs ? `The ${whole(mistakes.length)} most frequent of ${whole(pairs)} kinds of mistakes:` : "All kinds of mistakes:"}`;
  return h("div", {}, h("p", {}, about), h("div", { class: "tall" }, table(["True class", "Predicted", { text: "Rows", number: true }, ""], rows, {}, "Mistakes")));
}

// The examples behind a cell: "3 of these 31 rows are in examples.csv".
function behind(run, truth, prediction) {
  const counts = run.confusion.counts, total = counts ? counts[truth][prediction] : run.confusion.mistakes.find(([t, p]) => t === truth && p === prediction)?.[2] ?? 0;
  const listed = exampleIndices(run).filter((i) => isPair(run, i, truth, prediction));
  const title = truth === prediction ? `${nameOf(run, truth)}, predicted correctly` : `${nameOf(run, truth)} predicted as ${nameOf(run, prediction)}`;
  const known = !run.examples ? run.missing.examples
    : total ? `${whole(listed.length)} of these ${counted(total, "row")} ${listed.length === 1 ? "is" : "are"} listed in examples.csv.` : "No test row.";
  return [h("h3", {}, title), h("p", {}, h("b", { class: "big" }, whole(total)), ` test row${total === 1 ? "" : "s"}. `, known), examplesView(run, listed)];
}

function classScores(run) {
  const { scores } = run;
  if (!scores) return leftOut("Scores of the classes", run.missing.scores ?? "");
  const bar = (share) => h("span", { class: "bar", vars: { "--share": share ?? 0 } }, percent(share, 1));
  const rows = scores.f1.map((_, code) => [cut(nameOf(run, code), 24), bar(scores.precision[code]), bar(scores.recall[code]), bar(scores.f1[code]),
    ...(scores.support ? [whole(scores.support[code])] : [])]);
  const mean = ["mean over classes", ...["precision", "recall", "f1"].map((kind) => bar(scores.macro[kind])), ...(scores.support ? [""] : [])];
  const head = ["Class", ...["Precision", "Recall", "F1"].map((text) => ({ text, number: true })), ...(scores.support ? [{ text: "Test rows", number: true }] : [])];
  return h("div", {}, h("h3", {}, "Scores of the classes"), h("div", { class: "tall" }, table(head, [...rows, mean], { class: "scores" }, "Scores of the classes")));
}

function reliability(run) {
  if (!run.reliability) return run.missing.reliability ? leftOut("Reliability diagram", run.missing.reliability) : null;
  const bins = run.reliability.filter(([rows]) => rows), total = bins.reduce((sum, [rows]) => sum + rows, 0);
  const error = bins.reduce((sum, [rows, probability, right]) => sum + (rows / total) * Math.abs(probability - right), 0);
  const points = bins.map(([rows, probability, right]) => ({ x: probability, y: right, r: 3 + 9 * Math.sqrt(rows / total), title: counted(rows, "row"),
    lines: [["mean probability", percent(probability, 1)], ["correct", percent(right, 1)]] }));
  return h("div", {}, h("h3", {}, "Reliability diagram"),
    h("p", { class: "about" }, `On the diagonal, predictions of a probability are correct as often as it says. Expected calibration error: ${percent(error)}.`),
    pointChart({ title: "Correct predictions by their probability", xName: "mean probability of the predictions", yName: "share that is correct",
      points, guide: "diagonal", joined: true, limits: [0, 1], format: (value) => percent(value, 0) }),
    h("details", { class: "values" }, h("summary", {}, "Values as a table"), table(["Mean probability", { text: "Correct", number: true }, { text: "Rows", number: true }],
      bins.map(([rows, probability, right]) => [percent(probability, 1), percent(right, 1), whole(rows)]), {}, "Reliability diagram")));
}

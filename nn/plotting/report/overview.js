// The top of the page: what was trained, and how well it predicts; of several runs, a table with the best in bold.

function header(runs) {
  const run = runs[0], rows = run.rows.train;
  const about = [run.is_training ? "Training report" : "Report of predictions",
    runs.length > 1 ? counted(runs.length, "run") : run.path,
    isKnown(rows) ? `${whole(rows)} training rows` : null].filter(Boolean).join(" · ");
  return [h("h1", {}, run.name || run.label), h("p", { class: "about" }, about),
    ...runs.filter((one) => one.status !== "finished").map((one) => h("p", { class: `status ${one.status}`, role: "status" }, statusLine(one, runs.length > 1)))];
}

function statusLine(run, named) {
  const done = lastEpoch(run), planned = isKnown(run.planned) ? ` of ${whole(run.planned)}` : "";
  const subject = named ? `${run.label}: ` : "";
  const epochs = done ? `after epoch ${whole(done)}${planned}` : "before its first epoch";
  return run.status === "running"
    ? `${subject}This run goes on; the page shows it ${epochs}. Write the page again for what has come since.`
    : `${subject}This run ended ${epochs} without its last files. ${run.error ? `Its error: ${run.error}` : "The same command with --resume goes on with it."}`;
}

function lastEpoch(run) {
  return Math.max(0, ...Object.values(run.curves).map((curve) => curve.epoch[curve.epoch.length - 1]));
}

// [key, name, value of a run, format, 1: more is better, -1: less is better, 0: neither]
const FACTS = [
  ["accuracy", "Test accuracy", (run) => run.test.accuracy, percent, 1],
  ["rmse", "Test RMSE", (run) => run.test.rmse, short, -1],
  ["r2", "Test R²", (run) => run.test.r2, (value) => short(value), 1],
  ["mae", "Mean absolute error", (run) => run.test.mae, short, -1],
  ["macro", "Macro F1", (run) => run.scores?.macro.f1, (value) => short(value), 1],
  ["auc", "ROC AUC", (run) => run.test.roc_auc, (value) => short(value), 1],
  ["cost", "Test cost", (run) => run.test.cost, short, -1],
  ["train", "Training cost", (run) => finalValue(run, "cost"), short, -1],
  ["fit", "Training accuracy", (run) => finalValue(run, "accuracy"), percent, 1],
  ["epochs", "Epochs", lastEpoch, whole, 0],
  ["parameters", "Parameters", (run) => run.network?.parameters, whole, 0],
  ["time", "Time", totalSeconds, duration, 0],
];

function finalValue(run, name) {
  const curve = run.curves[name];
  if (!curve || isKnown(run.test.accuracy) || isKnown(run.test.rmse)) return null;
  const last = curve.accepted.lastIndexOf(1);
  return last < 0 ? null : curve.value[last];
}

function totalSeconds(run) {
  const phases = run.phases ? Object.values(run.phases.totals).reduce((sum, value) => sum + value, 0) : null;
  return run.seconds.total ?? phases;
}

function factNote(run, key) {
  const { test, train } = run;
  if (key === "accuracy" && isKnown(test.errors)) return `${whole(test.errors)} of ${whole(test.rows)} wrong`;
  if (key === "rmse" && isKnown(test.baseline)) return `${short(test.baseline)} for always predicting the mean`;
  if (key === "epochs" && isKnown(train.best_epoch)) return `weights of epoch ${whole(train.best_epoch)} kept`;
  if (key === "cost") return "mean loss per row";
  if (key === "r2") return "share of the variance explained";
  if (key === "macro") return "mean over the classes";
  if (key === "parameters") return `in ${counted(run.network.layers.length, "layer")}`;
  if (key === "time" && isKnown(run.seconds.training)) return `${duration(run.seconds.training)} of it training`;
  return null;
}

function overview(runs, colors) {
  const facts = FACTS.filter(([, , value]) => runs.some((run) => isKnown(value(run))));
  if (runs.length > 1) return section("results", "Results", "The best value of each column is bold.", comparison(runs, facts, colors));
  const tiles = facts.filter(([, , value]) => isKnown(value(runs[0]))).map(([key, name, value, format]) =>
    h("div", { class: "tile" }, h("dt", {}, name), h("dd", {}, h("strong", {}, format(value(runs[0]))), h("small", {}, factNote(runs[0], key) ?? ""))));
  return section("results", "Results", null, h("dl", { class: "tiles" }, tiles));
}

function comparison(runs, facts, colors) {
  const best = facts.map(([, , value, , sign]) => {
    const known = runs.map(value).filter(isKnown).map((number) => sign * number);
    return sign && known.length > 1 ? sign * Math.max(...known) : null;
  });
  const rows = runs.map((run, i) => [
    h("span", {}, h("i", { class: "swatch", vars: { "--color": colors[i] } }), run.label),
    ...facts.map(([, , value, format], column) => {
      const number = value(run), text = isKnown(number) ? format(number) : "–";
      return best[column] !== null && number === best[column] ? h("b", {}, text) : text;
    })]);
  return table(["Run", ...facts.map(([, name]) => ({ text: name, number: true }))], rows, {}, "Results of the runs");
}

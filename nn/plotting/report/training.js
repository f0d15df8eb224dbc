// The curves over the epochs, of all runs together, and where the time went.

const CURVES = [
  ["Cost", "mean loss per row", ["cost", "validation cost"], short, { canBeLog: true }],
  ["Accuracy", "share of rows", ["accuracy", "validation accuracy"], percent, { isPercent: true }],
  ["Learning rate", null, ["learning rate"], short, { canBeLog: true }],
];

function training(runs, colors) {
  const epochs = runs.flatMap((run) => Object.values(run.curves).flatMap((curve) => [curve.epoch[0], curve.epoch[curve.epoch.length - 1]]));
  if (!epochs.length) return null;
  const view = epochView(Math.min(...epochs), Math.max(...epochs));
  const kept = runs.map((run, i) => ({ epoch: run.train.best_epoch, color: colors[i] })).filter((mark) => isKnown(mark.epoch));
  const charts = CURVES.map(([title, unit, names, format, options]) => {
    const series = runs.flatMap((run, i) => names.flatMap((name) => (run.curves[name] ? [seriesOf(run, name, colors[i], runs.length > 1)] : [])));
    if (!series.length) return null;
    const areShares = !options.isPercent || series.every((line) => line.values.every((value) => value <= 1)); // else as another program wrote them
    return lineChart({ title: unit && areShares ? `${title} (${unit})` : title, view, series, format: areShares ? format : short, kept, ...options, isPercent: options.isPercent && areShares });
  });
  const notes = runs.flatMap((run) => notesOn(run, runs.length > 1));
  return section("training", "Training", "Move the pointer over a chart, or use the arrow keys, for the values of an epoch. Drag to zoom, double-click to see all epochs.",
    notes.map((note) => h("p", { class: "left-out" }, note)), h("div", { class: "charts" }, charts, timeChart(runs, colors, view)));
}

// The values of the last accepted step at each epoch; rejected steps apart. A learning rate is that of each step.
function seriesOf(run, name, color, named) {
  const curve = run.curves[name], isValidation = name.startsWith("validation"), rejected = [];
  let last = null;
  const values = curve.value.map((value, i) => {
    if (name === "learning rate") return value;
    if (curve.accepted[i]) last = value;
    else if (!isValidation) rejected.push({ epoch: curve.epoch[i], value });
    return last;
  });
  const noun = name === "learning rate" ? "learning rate" : isValidation ? "validation" : "training";
  return { name: named ? (isValidation ? `${run.label}, validation` : run.label) : noun,
    color: isValidation && !named ? "var(--s3)" : color, mark: named ? color : "var(--second)", dash: isValidation && named, epochs: curve.epoch, values, rejected };
}

function notesOn(run, named) {
  return Object.entries(run.curves).flatMap(([name, curve]) => {
    const start = named ? `${run.label}, ${name}` : `Curve of the ${name}`;
    const lost = curve.value.filter((value) => !isKnown(value)).length;
    return [
      curve.of > curve.epoch.length && name === "cost" ? `${named ? `${run.label}: ` : ""}${whole(curve.epoch.length)} of ${whole(curve.of)} epochs are drawn.` : null,
      lost ? `${start}: ${whole(lost)} epochs have no finite value.` : null,
    ].filter(Boolean);
  });
}

const PHASES = {
  schedule: "starting jobs and tasks, waiting for the slowest", read: "waiting for cached rows",
  compute: "in the layers", sum: "adding sums", update: "on the driver, between jobs",
};

function timeChart(runs, colors, view) {
  const timed = runs.map((run, i) => [run, colors[i]]).filter(([run]) => run.phases);
  if (!timed.length) return null;
  const shades = ["var(--s1)", "var(--s2)", "var(--s3)", "var(--s4)", "var(--s5)"];
  const series = timed.length === 1
    ? timed[0][0].phases.names.map((name, i) => ({ name, color: shades[i], epochs: timed[0][0].phases.epoch, values: timed[0][0].phases.seconds[i] }))
    : timed.map(([run, color]) => ({ name: run.label, color, epochs: run.phases.epoch,
      values: run.phases.epoch.map((_, i) => run.phases.seconds.reduce((sum, column) => sum + column[i], 0)) }));
  return lineChart({ title: timed.length === 1 ? "Seconds per epoch by phase" : "Seconds per epoch", view, series, format: duration, canBeLog: true });
}

// A bar of the phases of training for each run, and their seconds.
function times(runs) {
  const timed = runs.filter((run) => run.phases && Object.values(run.phases.totals).some((value) => value > 0));
  if (!timed.length) return null;
  const bars = timed.map((run) => {
    const total = Object.values(run.phases.totals).reduce((sum, value) => sum + value, 0);
    const parts = run.phases.names.map((name, i) => h("i", { class: "part", vars: { "--share": run.phases.totals[name] / total, "--color": `var(--s${i + 1})` }, title: `${name}: ${duration(run.phases.totals[name])}` }));
    return h("div", { class: "stack" }, timed.length > 1 ? h("span", {}, run.label) : null, h("div", { class: "parts", "aria-hidden": "true" }, parts));
  });
  const head = ["Phase of training", ...timed.flatMap((run) => [{ text: timed.length > 1 ? run.label : "Time", number: true }, { text: "Share", number: true }])];
  const rows = Object.keys(PHASES).map((name, i) => [
    h("span", {}, h("i", { class: "swatch", vars: { "--color": `var(--s${i + 1})` } }), name, h("small", {}, ` ${PHASES[name]}`)),
    ...timed.flatMap((run) => {
      const total = Object.values(run.phases.totals).reduce((sum, value) => sum + value, 0);
      return [duration(run.phases.totals[name]), percent(run.phases.totals[name] / total, 1)];
    })]);
  const other = [...new Set(timed.flatMap((run) => Object.keys(run.seconds)))].filter((name) => name !== "training_phases");
  const whole = other.length ? table(["Part of the run", ...timed.map((run) => ({ text: timed.length > 1 ? run.label : "Time", number: true }))],
    other.map((name) => [name, ...timed.map((run) => duration(run.seconds[name]))]), {}, "Time by part of the run") : null;
  return section("time", "Time", null, bars, h("div", { class: "columns" }, table(head, rows, {}, "Time by phase of training"), whole));
}

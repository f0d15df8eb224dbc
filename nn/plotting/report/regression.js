// The test rows of a regression: predictions against actual values, and the errors.

function regression(run) {
  if (run.task !== "regression") return null;
  if (!run.predicted) return run.missing.predicted ? section("errors", "Errors of the predictions", null, leftOut("Residuals", run.missing.predicted)) : null;
  const { actual, predicted, errors: differences } = run.predicted;
  const pairs = actual.map((value, i) => [value, predicted[i], differences[i]]).filter((triple) => triple.every(isKnown));
  const errors = pairs.map(([, , error]) => error), mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
  const lines = ([a, b, error]) => [["actual", short(a)], ["predicted", short(b)], ["error", short(error)]];
  const points = (x, y) => pairs.map((pair, i) => ({ x: x(pair), y: y(pair), title: `test row ${i + 1} of predicted.csv`, lines: lines(pair) }));
  const of = isKnown(run.test.rows) && run.test.rows > pairs.length ? ` of ${whole(run.test.rows)}` : "";
  return section("errors", "Errors of the predictions",
    `${whole(pairs.length)}${of} test rows, from predicted.csv. Mean error ${short(mean)}. An error is the prediction less the actual value.`,
    h("div", { class: "charts" },
      pointChart({ title: "Predicted against actual values", xName: "actual value", yName: "prediction", points: points(([a]) => a, ([, b]) => b), guide: "diagonal", format: (value) => short(value, 6), height: 340 }),
      pointChart({ title: "Errors by prediction", xName: "prediction", yName: "error", points: points(([, b]) => b, ([, , error]) => error), guide: "zero", format: (value) => short(value, 6), height: 340 }),
      histogram({ title: "How often errors of each size are", values: errors, name: "error", format: (value) => short(value, 3) })));
}

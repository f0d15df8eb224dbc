// From what the user types to the inputs of the network, and from its outputs to an answer.

// The inputs (d,) of a row of values: numbers, names of categories, or null for a missing value. Throws an Error that says what
// is wrong. The operations are those of nn/data/encoding.py, in float32.
function encode(network, columns, values) {
  if (!columns) {
    const factor = Math.fround(1 / network.scale);
    return Float32Array.from(values, (value, i) => {
      if (value === null) throw new Error(`${network.names?.[i] ?? `x${i}`}: a value is needed`);
      return Math.fround(value) * factor;
    });
  }
  return Float32Array.from(columns.flatMap((column, i) =>
    column.kind === "number" ? encodeNumber(column, values[i]) : encodeCategory(column, values[i])));
}

function encodeNumber(column, value) {
  const isMissing = value === null;
  if (isMissing && column.fill === null) throw new Error(`${column.name}: a value is needed`);
  const number = isMissing ? Math.fround(column.fill) : Math.fround(value - column.offset);
  const x = Math.fround(Math.fround(number - Math.fround(column.center)) * Math.fround(1 / column.scale));
  if (!Number.isFinite(x)) throw new Error(`${column.name}: the value is too large`);
  return column.indicator ? [x, isMissing ? 1 : 0] : [x];
}

function encodeCategory(column, value) {
  const x = new Array(column.values.length + (column.other ? 1 : 0) + (column.indicator ? 1 : 0)).fill(0);
  if (value === null) {
    if (!column.fill) throw new Error(`${column.name}: a value is needed`);
    if (column.indicator) x[x.length - 1] = 1;
    return x;
  }
  const place = column.values.indexOf(value);
  if (place < 0 && !column.other) throw new Error(`${column.name}: expected one of its values`);
  x[place < 0 ? column.values.length : place] = 1;
  return x;
}

// What the network answers: {value} of a regression, or {probabilities, best} of classes.
function answer(network, inputs) {
  const outputs = forward(network, inputs);
  if (network.target) return { value: outputs[0] * network.target.scale + network.target.mean };
  const shares = probabilities(network, outputs);
  return { probabilities: shares, best: shares.indexOf(Math.max(...shares)) };
}

// A form with the columns of the table, and the answer of the network to the row in it.

const MISSING = "missing", OTHER = "other"; // kinds of options without a value
let fillForm = () => {}; // (run, index of an example)

function formSection(run) {
  const { network } = run, { live } = network;
  const columns = network.columns ?? Array.from({ length: live.shape[0] }, (_, i) => ({ kind: "number", name: live.names?.[i] ?? `x${i}`, fill: null, offset: 0, center: 0 }));
  const fields = columns.map(fieldOf), result = answerBox();
  const state = { network: null };
  const update = () => {
    if (!state.network) return;
    const began = performance.now();
    fields.forEach((field) => field.element.classList.remove("missing"));
    try {
      result.show(answer(state.network, encode(state.network, network.columns, fields.map((field) => field.value()))), run, began);
    } catch (error) {
      result.say(error.message);
      fields.filter((field) => error.message.startsWith(`${field.name}: `)).forEach((field) => field.element.classList.add("missing"));
    }
  };
  const rows = run.examples?.table?.rows ?? [];
  let next = 0;
  const fill = (i) => {
    fields.forEach((field, at) => at + 4 < rows[i].length && field.set(rows[i][at + 4]));
    next = (i + 1) % rows.length;
    update();
    const truth = run.task === "regression" ? `actual value is ${short(Number(rows[i][1]), 6)}` : `class is ${rows[i][1]}`;
    result.note(`Row ${rows[i][0]} of examples.csv: its ${truth}.`);
  };
  fillForm = (_, i) => {
    fill(i);
    document.getElementById("try").scrollIntoView({ block: "start" });
  };
  const form = h("form", { class: "form", submit: (event) => event.preventDefault(), input: update }, fields.map((field) => field.element));
  unpack(live).then((unpacked) => {
    state.network = unpacked;
    form.dataset.ready = "true";
    if (rows.length) fill(0);
    else update();
  }).catch((error) => result.say(`This browser cannot unpack the network: ${error.message}`));
  const another = rows.length ? h("button", { type: "button", click: () => fill(next) }, "Fill in a test row") : null;
  return section("try", "Ask the network", "The network runs in this page. Change a value, and it answers.", h("div", { class: "try form-try" },
    h("div", {}, form, h("div", { class: "choices" }, another)), result.element));
}

// The field of a column: {element, name, value() -> number, text, undefined for another category, null for a missing value, set(text)}.
function fieldOf(column, index) {
  return column.kind === "number" ? numberField(column, index) : categoryField(column, index);
}

function numberField(column, index) {
  const mean = column.offset + column.center, input = h("input", { id: `field-${index}`, type: "number", step: "any", inputmode: "decimal",
    placeholder: column.fill === null ? "needed" : "missing" });
  if (column.fill === null) input.value = Number(mean.toPrecision(4));
  return { name: column.name, element: h("label", { for: `field-${index}` }, h("span", { title: column.name }, columnName(column.name, index)), input),
    value: () => (input.value === "" ? null : Number(input.value)), set: (text) => (input.value = text) };
}

function categoryField(column, index) {
  const options = column.values.map((value, i) => h("option", { value: `value ${i}` }, value));
  if (column.other) options.push(h("option", { value: OTHER }, "(another value)"));
  if (column.fill) options.push(h("option", { value: MISSING }, "(missing)"));
  const choice = h("select", { id: `field-${index}` }, options);
  return {
    name: column.name,
    element: h("label", { for: `field-${index}` }, h("span", { title: column.name }, columnName(column.name, index)), choice),
    value: () => (choice.value === MISSING ? null : column.values[Number(choice.value.slice(6) || NaN)]), // undefined: another value
    set(text) {
      const place = column.values.indexOf(text);
      choice.value = place >= 0 ? `value ${place}` : text === "" && column.fill ? MISSING : OTHER; // "" without such an option
    },
  };
}

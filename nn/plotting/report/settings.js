// How the runs were configured, where they differ, and the command that trains the same network again.

function settings(runs) {
  return section("settings", "Configuration", null,
    runs.map((run) => again(run, runs.length > 1)), configuration(runs), versions(runs));
}

function again(run, named) {
  if (!run.again) return null;
  const said = h("span", { role: "status", class: "about" });
  const code = h("code", { tabindex: "0" }, run.again);
  const copy = h("button", { type: "button", click: async () => {
    try {
      await navigator.clipboard.writeText(run.again);
    } catch {
      getSelection().selectAllChildren(code); // where the clipboard is not to be had: a page without https
      document.execCommand("copy");
    }
    said.textContent = "Copied.";
    setTimeout(() => (said.textContent = ""), 2000);
  } }, "Copy");
  return h("div", { class: "again" }, h("h3", {}, named ? `Run ${run.label} again` : "Run it again"), h("div", { class: "command" }, h("pre", {}, code), copy), said);
}

function configuration(runs) {
  const names = [...new Set(runs.flatMap((run) => run.configuration.map(([name]) => name)))];
  if (!names.length) return leftOut("Options", "neither config.json nor summary.json in OUTPUT");
  const values = runs.map((run) => new Map(run.configuration));
  const differs = (name) => runs.length > 1 && new Set(values.map((map) => map.get(name))).size > 1;
  const ordered = [...names.filter(differs), ...names.filter((name) => !differs(name))];
  const count = ordered.filter(differs).length;
  const about = runs.length > 1 ? h("p", { class: "about" }, count ? `${counted(count, "option")} ${count === 1 ? "differs" : "differ"}, and ${count === 1 ? "is" : "are"} marked; the others are the same in all runs.` : "All options are the same.") : null;
  const rows = ordered.map((name) => [differs(name) ? h("mark", {}, name) : name, ...values.map((map) => h("code", {}, map.has(name) ? map.get(name) : "–"))]);
  return h("div", {}, h("h3", {}, "Options"), about, h("div", { class: "tall" }, table(["Option", ...(runs.length > 1 ? runs.map((run) => run.label) : ["Value"])], rows, { class: "options" }, "Options")));
}

function versions(runs) {
  const names = [...new Set(runs.flatMap((run) => run.versions.map(([name]) => name)))];
  if (!names.length) return null;
  const rows = names.map((name) => [name, ...runs.map((run) => new Map(run.versions).get(name) ?? "–")]);
  return h("div", {}, h("h3", {}, "Versions"), table(["Of", ...(runs.length > 1 ? runs.map((run) => run.label) : ["Version"])], rows, {}, "Versions"));
}

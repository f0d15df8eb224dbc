// Build the page from the values of the runs.

function tryOut(run) {
  const { network } = run;
  if (!network) return null;
  if (!network.live) return section("try", "Try the network", null, leftOut("Not drawn live", network.reason));
  return network.live.inputs === "image" ? drawSection(run) : formSection(run);
}

function main() {
  const runs = JSON.parse(document.getElementById("runs").textContent);
  const colors = runs.map((_, i) => `var(--s${i + 1})`), content = document.getElementById("content");
  const top = h("div", { class: "of-run" }), rest = h("div", { class: "of-run" });
  document.getElementById("top").append(...header(runs));
  content.append(overview(runs, colors), ...(runs.length > 1 ? [] : [top]), training(runs, colors) ?? "", ...(runs.length > 1 ? [top] : []), rest, times(runs) ?? "", settings(runs));
  const show = (run) => {
    top.replaceChildren(...[runs.length > 1 ? h("p", { class: "which" }, h("i", { class: "swatch", vars: { "--color": colors[runs.indexOf(run)] } }), "Details of ", h("b", {}, run.label)) : null, tryOut(run)].filter(Boolean));
    rest.replaceChildren(...[testRows(run), gallery(run), regression(run), networkSection(run), columnsSection(run)].filter(Boolean));
    const links = [...content.querySelectorAll("section")].map((part) => h("a", { href: `#${part.id}` }, part.querySelector("h2").textContent));
    document.getElementById("sections").replaceChildren(...(runs.length > 1 ? [chooser] : []), ...links);
  };
  const choice = h("select", { id: "run", change: () => show(runs[choice.selectedIndex]) }, runs.map((run) => h("option", {}, run.label)));
  const chooser = h("label", { for: "run" }, "Details of ", choice);
  show(runs[0]);
}

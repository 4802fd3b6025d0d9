// The entities grid: a selected row, Sync Filter for it, all boxes at once, Save only when needed.
const grid = document.getElementById("grid");
const save = document.getElementById("save");
const filter = document.getElementById("filter");
const all = document.getElementById("all");
const boxes = (name) => [...grid.querySelectorAll(`input[name=${name}]`)];
const state = () => [...boxes("enabled"), ...boxes("deletion")].map((box) => box.checked).join();
const mayChange = "may" in save.dataset;
const saved = state();
let isSaving = false;

const select = (row) => {
  for (const other of grid.querySelectorAll("tr[aria-selected]")) other.removeAttribute("aria-selected");
  row.setAttribute("aria-selected", "true");
  filter.disabled = !row.dataset.filter;
  filter.dataset.link = row.dataset.filter || "";
  filter.title = row.dataset.filter ? "Edit the sync filter of the selected entity" : "The selected entity has no filter of its own";
};
const update = () => {
  const enabled = boxes("enabled");
  const checked = enabled.filter((box) => box.checked).length;
  save.disabled = !mayChange || state() === saved;
  if (!all) return;
  all.checked = enabled.length > 0 && checked === enabled.length;
  all.indeterminate = checked > 0 && checked < enabled.length;
};
const rowOf = (event) => event.target.closest("tbody tr");

grid.addEventListener("click", (event) => { if (rowOf(event)) select(rowOf(event)); });
grid.addEventListener("focusin", (event) => { if (rowOf(event)) select(rowOf(event)); });
grid.addEventListener("dblclick", (event) => {
  const link = rowOf(event)?.dataset.filter;
  if (link && !event.target.closest("input, a, summary")) location.href = link;
});
grid.addEventListener("change", update);
filter.addEventListener("click", () => { location.href = filter.dataset.link; });
all?.addEventListener("change", () => {
  for (const box of boxes("enabled")) box.checked = all.checked;
  update();
});
grid.addEventListener("submit", () => { isSaving = true; });
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "s") {
    event.preventDefault();
    if (!save.disabled) grid.requestSubmit();
  }
});
window.addEventListener("beforeunload", (event) => {
  if (!isSaving && state() !== saved) event.preventDefault();
});
update();

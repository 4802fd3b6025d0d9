// The list of transactions: all ticks at once; buttons that need a tick wait for one.
const list = document.getElementById("list");
const all = document.getElementById("all");
const ticks = [...document.querySelectorAll("input[name=id]")];
const needing = [...list.querySelectorAll("[data-needs]")];

const update = () => {
  const count = ticks.filter((tick) => tick.checked).length;
  for (const button of needing) button.disabled = count === 0;
  if (!all) return;
  all.checked = count > 0 && count === ticks.length;
  all.indeterminate = count > 0 && count < ticks.length;
};
for (const tick of ticks) tick.addEventListener("change", update);
all?.addEventListener("change", () => {
  for (const tick of ticks) tick.checked = all.checked;
  update();
});
update();

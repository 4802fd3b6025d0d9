// While the run goes on, asks the API once a second and shows states and counts in place. When it
// has ended, errors, plan and buttons come from the server, without leaving the page.
const number = new Intl.NumberFormat("en");
const names = () => Array.from(document.querySelectorAll("#entities th[data-count]"), (head) => head.dataset.count);
const title = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const by = (id) => document.getElementById(id);
const put = (id, text) => { if (by(id)) by(id).textContent = text; };

const cell = (row, text, kind) => {
  const made = row.insertCell();
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
};

const line = (entity) => {
  const row = document.createElement("tr");
  row.dataset.entity = entity.name;
  cell(row, entity.name, "rs-name");
  const state = document.createElement("span");
  state.className = "rs-state";
  state.dataset.state = entity.state;
  state.textContent = title(entity.state);
  const place = cell(row, "");
  place.append(state);
  if (entity.state === "running" && entity.expected) {
    const bar = document.createElement("progress");
    bar.max = entity.expected;
    bar.value = Math.min(entity.read, entity.expected);
    bar.setAttribute("aria-label", `${entity.name}: records read`);
    place.append(" ", bar);
  }
  for (const name of names()) cell(row, number.format(entity[name]), entity[name] ? "n" : "n rs-zero");
  cell(row, entity.seconds.toFixed(1), "n");
  cell(row, entity.message);
  return row;
};

const total = (entities) => {
  const row = document.createElement("tr");
  const done = entities.filter((entity) => entity.state === "done").length;
  cell(row, "All");
  cell(row, `${done} of ${entities.length} done`);
  for (const name of names()) cell(row, number.format(entities.reduce((sum, entity) => sum + entity[name], 0)), "n");
  cell(row, "");
  cell(row, "");
  return row;
};

const show = (run) => {
  by("state").textContent = title(run.state);
  by("state").dataset.state = run.state;
  by("message").textContent = run.message;
  by("message").hidden = !run.message;
  const time = (value) => value.slice(0, 19).replace("T", " ");
  if (run.started) put("started", time(run.started));
  if (run.finished) put("finished", time(run.finished));
  put("error-count", number.format(run.error_count));
  if (run.rate) put("rate", `${number.format(Math.round(run.rate))} records/s`);
  if (!by("entities") || !run.entities.length) return;
  document.querySelector("#entities tbody").replaceChildren(...run.entities.map(line));
  by("totals").replaceChildren(total(run.entities));
};

const replace = async () => {
  const answer = await fetch(location.href);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("run");
  if (answer.ok && fresh) by("run").replaceWith(document.adoptNode(fresh));
};

const look = async () => {
  const answer = await fetch(by("run").dataset.api, { headers: { Accept: "application/json" } });
  if (!answer.ok) {
    by("lost").hidden = answer.status >= 500;
    return answer.status >= 500;
  }
  const run = await answer.json();
  if (!run.is_active && by("run").dataset.active === "true") await replace();
  show(run);
  return run.is_active;
};

const poll = async () => {
  let again = true;
  try {
    again = await look();
  } catch { /* The next second tries again. */ }
  if (again) setTimeout(poll, 1000);
};
poll();

// While the run goes on, asks the API once a second and shows states and counts in place.
const page = document.getElementById("run");
const number = new Intl.NumberFormat("en");
const names = ["read", "created", "updated", "deleted", "unchanged", "rejected", "conflicts", "kept"];
const title = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const put = (id, text) => { document.getElementById(id).textContent = text; };

const line = (entity) => {
  const row = document.createElement("tr");
  const cell = (text, kind) => {
    const td = row.insertCell();
    td.textContent = text;
    if (kind) td.className = kind;
    return td;
  };
  row.dataset.entity = entity.name;
  cell(entity.name, "rs-name");
  const state = document.createElement("span");
  state.className = "rs-state";
  state.dataset.state = entity.state;
  state.textContent = title(entity.state);
  cell("").append(state);
  for (const name of names) cell(number.format(entity[name]), "n");
  cell(entity.seconds.toFixed(1), "n");
  cell(entity.message);
  return row;
};

const show = (run) => {
  const state = document.getElementById("state");
  state.textContent = title(run.state);
  state.dataset.state = run.state;
  const message = document.getElementById("message");
  message.textContent = run.message;
  message.hidden = !run.message;
  const time = (value) => value.slice(0, 19).replace("T", " ");
  if (run.started) put("started", time(run.started));
  if (run.finished) put("finished", time(run.finished));
  const body = document.querySelector("#entities tbody");
  if (body && run.entities.length) body.replaceChildren(...run.entities.map(line));
  const read = run.entities.reduce((sum, entity) => sum + entity.read, 0);
  const seconds = ((run.finished ? Date.parse(run.finished) : Date.now()) - Date.parse(run.started)) / 1000;
  if (run.started && read) put("rate", `${number.format(Math.round(read / Math.max(seconds, 0.1)))} records/s`);
};

const active = (run) => ["queued", "running", "cancelling"].includes(run.state);

const poll = async () => {
  let run = null;
  try {
    const answer = await fetch(page.dataset.api, { headers: { Accept: "application/json" } });
    if (answer.ok) run = await answer.json();
  } catch { /* The next second tries again. */ }
  if (run) show(run);
  if (run && !active(run)) {
    // Errors, plan and buttons come from the server.
    if (page.dataset.active === "true") location.reload();
    return;
  }
  setTimeout(poll, 1000);
};
poll();
